const Sequencer = require('@jest/test-sequencer').default;

/** The specs that take longest; the size of their files does not show it. */
const longest = [
  'tenant-isolation',
  'adopt-global-keys',
  'bad-input',
  'in-flight',
  'interleaved-calls',
  'command-line-remote',
  'no-setting-opens',
  'tenant-keys',
  'readiness',
].map((name) => `/test/${name}.spec.ts`);

/**
 * jest starts with the specs that took longest in the last run. A fresh clone has no last run, and jest would go by size:
 * a long spec that starts last then runs alone, while the other core has nothing to do.
 */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    if (sorted.every(({ duration }) => duration !== undefined)) return sorted;
    const rank = ({ path }) => {
      const place = longest.findIndex((name) => path.endsWith(name));
      return place < 0 ? longest.length : place;
    };
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
};
