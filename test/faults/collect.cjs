const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

// Runs in a process of the service before the service. At a message it collects what nobody uses any more, and says what is left.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('message', () => {
  // The buffers that one collection frees are counted until the next one.
  collect();
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send({ used: heapUsed + external, resident: rss });
});
// The channel must not keep the process alive.
process.channel.unref();
