import { whole } from './kinds';
import { type Setting } from './setting';

/** The settings of what is refused so that everything else goes on. */
export const trafficSettings = {
  wrongKeysPerMinute: {
    name: 'WRONG_KEYS_PER_MINUTE',
    section: 'service',
    kind: whole(0, 1_000_000),
    default: '20',
    description:
      'After how many wrong keys from one address within a minute Tenkey refuses, with 429 `throttled`, every key from there that it has not accepted in the last hour. Behind a reverse proxy, set `TRUST_PROXY` too: otherwise all clients have the address of the proxy. 0: no limit.',
  },
} satisfies Record<string, Setting>;
