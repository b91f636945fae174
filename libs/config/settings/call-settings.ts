import { allowList, egressProxy, oneOf, whole } from './kinds';
import { type Setting } from './setting';
import { timeouts, usualSeconds } from './timeouts';

/** The settings of calls: how many run, what they may name, and how and where they go. */
export const callSettings = {
  foreignObjects: {
    name: 'FOREIGN_OBJECTS',
    section: 'calls',
    kind: oneOf(['refuse', 'allow']),
    default: 'refuse',
    description:
      '`refuse`: a call may name only stored objects (responses, conversations, files, containers, ...) that a call of the same tenant has made. `allow`: it may also name objects that no call through Tenkey has made, such as files that were uploaded elsewhere. Tenants who share a provider key can then use such objects of each other.',
  },
  storedObjectDays: {
    name: 'STORED_OBJECT_DAYS',
    section: 'calls',
    kind: whole(0, 36_500),
    default: '31',
    description:
      'How long Tenkey remembers which tenant owns a stored object, in days. After that, even the owner cannot use it any more. OpenAI and Azure keep a response for 30 days. The owners of conversations and files are remembered as long as the tenant exists. 0: so are the owners of all objects.',
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
  egressProxy: {
    name: 'EGRESS_PROXY',
    section: 'calls',
    kind: egressProxy,
    description:
      'The proxy through which Tenkey connects to providers, e.g. `http://user:password@proxy.example:3128`. `environment`: the proxies that `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` name; if a variable is also set in lower case, that value is used. All connections use CONNECT, so the proxy sees no key on the way to an `https` address. `NO_PROXY` lists the hosts that are called directly; `localhost` and loopback addresses always are. Not set: every provider is called directly, and Tenkey warns at the start if one of the three variables is set.',
  },
  timeoutsOf: {
    name: 'UPSTREAM_TIMEOUTS',
    section: 'calls',
    kind: timeouts,
    default: '',
    description: `How long a provider may take, in seconds, with the defaults: ${usualSeconds}. The last is the time between two parts of a response. An entry applies to all providers, or to one if it begins with the id of a provider, e.g. \`first_byte=120,vllm.first_byte=1800\`.`,
  },
  upstreamRetries: {
    name: 'UPSTREAM_RETRIES',
    section: 'calls',
    kind: whole(0, 5),
    default: '1',
    description:
      'How often a call is retried with the same key. A call is retried only if nothing was sent yet, or if the provider responded 503 and the client does not retry by itself.',
  },
  retryRateLimitedSeconds: {
    name: 'UPSTREAM_RETRY_RATE_LIMITED_SECONDS',
    section: 'calls',
    kind: whole(0, 300),
    default: '0',
    description:
      'How long a call may wait in total for retries after a 429, in seconds. 0: Tenkey does not retry after a 429, and leaves that to the client.',
  },
  egressPrivate: {
    name: 'EGRESS_PRIVATE',
    section: 'addresses',
    kind: oneOf(['allow', 'deny']),
    default: 'allow',
    description:
      "`allow`: a tenant's endpoint may have a private address (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, fc00::/7), because model servers usually run in the same network. `deny`: only those that `EGRESS_ALLOW` or the tenant's `egress_allow` lists.",
  },
  egressAllow: {
    name: 'EGRESS_ALLOW',
    section: 'addresses',
    kind: allowList,
    default: '',
    description:
      "Exceptions to the address policy for tenants' endpoints, which refuses loopback, link-local and similar addresses, and those of Tenkey's own machine and database; comma-separated, e.g. `127.0.0.1:8000,198.18.0.0/15:*`.",
  },
} satisfies Record<string, Setting>;
