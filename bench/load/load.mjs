import { fileURLToPath } from 'node:url';
import { startHelper } from '../gateways/processes.mjs';

/** Starts the process of the load generator. `run` gives it one job and resolves with what it measured (worker.mjs). */
export async function startLoad() {
  const { child, stop } = await startHelper(fileURLToPath(new URL('worker.mjs', import.meta.url)));
  const run = (job) =>
    new Promise((resolve, reject) => {
      const ended = () => reject(new Error('the load generator ended'));
      child.once('exit', ended);
      child.once('message', (result) => {
        child.off('exit', ended);
        resolve(result);
      });
      child.send(job);
    });
  return { run, stop };
}
