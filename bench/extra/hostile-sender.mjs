// Sends ten bodies of 31 MiB at once, in a process of its own, so that the one that watches is not held up by it.
//   node extra/hostile-sender.mjs <port> <path> <model> <key> <limit in seconds>
import { connect } from 'node:net';
import { requestBytes } from '../work/works.mjs';

const BODIES = 10;
const BODY_BYTES = 31 * 1024 * 1024;
const [port, path, model, key, limitSeconds] = process.argv.slice(2);

const start = `{"model":"${model}","max_tokens":256,"messages":[`;
const body = `${start}${'{},'.repeat(Math.floor((BODY_BYTES - start.length - 4) / 3))}{}]}`;
const bytes = Buffer.from(
  requestBytes({ path, headers: { authorization: `Bearer ${key}` }, body }),
  'latin1',
);

process.send('ready');
process.on('disconnect', () => process.exit());
process.once('message', async () => {
  const began = performance.now();
  const answers = await Promise.all(Array.from({ length: BODIES }, send));
  process.send({ answers, seconds: (performance.now() - began) / 1000 });
});

/** Resolves with the status of the response, or with what happened instead. */
function send() {
  return new Promise((resolve) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1' });
    const finish = (answer) => {
      resolve(answer);
      socket.destroy();
    };
    socket.on('data', (part) => finish(part.latin1Slice(9, 12)));
    socket.on('error', () => finish('connection lost'));
    socket.on('close', () => finish('connection lost'));
    setTimeout(() => finish('no response in time'), Number(limitSeconds) * 1000).unref();
    socket.write(bytes);
  });
}
