/**
 * For how many milliseconds this process has used a processor. A bound on it holds on a busy machine as well, unlike a bound on the
 * time that passes.
 */
export function cpuTimeMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
