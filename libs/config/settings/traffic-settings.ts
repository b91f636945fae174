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
  maxCallsInFlight: {
    name: 'MAX_CALLS_IN_FLIGHT',
    section: 'calls',
    kind: whole(1, 1_000_000),
    default: '2000',
    description:
      'How many calls one process runs at the same time. A call runs until the last byte of its response. Further calls wait, and when a place is free, the tenants take turns.',
  },
  maxCallsPerTenant: {
    name: 'MAX_CALLS_PER_TENANT',
    section: 'calls',
    kind: whole(1, 1_000_000),
    default: '500',
    description:
      'How many of these calls may be those of one tenant, so that a tenant whose provider hangs does not take all places. As many more may wait.',
  },
  callWaitSeconds: {
    name: 'CALL_WAIT_SECONDS',
    section: 'calls',
    kind: whole(0, 600),
    default: '5',
    description:
      'How long a call waits for a place, in seconds. After that it is refused: with 429 `too_many_calls` if its tenant has all the places that it may have, else with 503 `overloaded`. 0: calls do not wait.',
  },
  circuitFailures: {
    name: 'CIRCUIT_FAILURES',
    section: 'calls',
    kind: whole(0, 1000),
    default: '5',
    description:
      'After how many failures of the connection in a row Tenkey pauses the calls of one tenant to one host of a provider. They are then refused at once with 503 `circuit_open`, except one every five seconds; any response ends the pause, and so does a minute without calls. Calls whose connections break at the same time count as one failure, unless they reach their timeout, and a failure begins a new count if its call began more than a minute after the last one that counted. 0: calls are never paused.',
  },
} satisfies Record<string, Setting>;
