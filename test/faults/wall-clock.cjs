// Runs in a process of the service before the service. A message changes its wall clock, as an administrator or NTP does.
const systemTime = Date.now;
let shiftMs = 0;

Date.now = () => systemTime() + shiftMs;
process.on('message', ({ shiftWallClockMs }) => {
  shiftMs += shiftWallClockMs;
  process.send({ wallClock: Date.now() });
});
// The channel must not keep the process alive.
process.channel.unref();
