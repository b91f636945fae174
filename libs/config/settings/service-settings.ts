import { addressesAndRanges, flag, type Kind, oneOf, publicUrl, text, whole } from './kinds';
import { type Setting } from './setting';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The settings of the process, and of what it accepts and keeps. */
export const serviceSettings = {
  isProduction: {
    name: 'NODE_ENV',
    section: 'service',
    kind: { parse: (value) => value === 'production' } satisfies Kind<boolean>,
    default: '',
    description:
      '`production`: Tenkey generates no `.env` at the first start, and some settings have other defaults. Every other value means development.',
  },
  port: {
    name: 'PORT',
    section: 'service',
    kind: whole(0, 65_535),
    default: '3000',
    description: 'The port to listen on. 0: the system chooses a free one.',
  },
  host: {
    name: 'HOST',
    section: 'service',
    kind: text,
    default: '127.0.0.1',
    productionDefault: '0.0.0.0',
    description: 'The address to listen on.',
  },
  trustProxy: {
    name: 'TRUST_PROXY',
    section: 'service',
    kind: addressesAndRanges,
    default: '',
    description:
      "The reverse proxies in front of Tenkey: addresses or CIDR ranges, comma-separated, e.g. `10.1.2.3,10.2.0.0/16`. For requests from these proxies, the client's address is read from `X-Forwarded-For`; the audit records it, and wrong keys are counted by it. Not set: `X-Forwarded-For` is ignored, and the address is that of the proxy.",
  },
  publicUrl: {
    name: 'PUBLIC_URL',
    section: 'service',
    kind: publicUrl,
    description:
      'The address of Tenkey for its clients, with the path prefix of a reverse proxy, e.g. `https://platform.example/tenkey`. The OpenAPI document, the hints of problems and the addresses at `/` name it. The cookie of a session is limited to its path, and to https if it is an https address. Not set: they name paths without a prefix, the address in the document is relative to the document, and the cookie is for every path, also over http.',
  },
  docs: {
    name: 'DOCS',
    section: 'service',
    kind: flag,
    default: 'true',
    description:
      '`true`: `/docs` has the Swagger UI and the OpenAPI document, which need no key. `false`: they respond 404.',
  },
  console: {
    name: 'CONSOLE',
    section: 'service',
    kind: flag,
    default: 'true',
    description:
      '`true`: a browser that opens `/` gets the console, the web page for sysadmins. `false`: it is sent to `/docs`.',
  },
  clientPauseSeconds: {
    name: 'CLIENT_PAUSE_SECONDS',
    section: 'service',
    kind: whole(1, 86_400),
    default: '600',
    description:
      'How long a client may stop reading a response before Tenkey closes the connection, in seconds.',
  },
  streamHeartbeatSeconds: {
    name: 'STREAM_HEARTBEAT_SECONDS',
    section: 'service',
    kind: whole(0, 3600),
    default: '0',
    description:
      'After how many seconds without anything from the provider Tenkey writes a comment into a stream (on `/v1/messages` a `ping`). Clients ignore it, but it makes proxies in front of Tenkey keep the connection open while a model thinks. 0: Tenkey writes none.',
  },
  drainSeconds: {
    name: 'DRAIN_SECONDS',
    section: 'service',
    kind: whole(0, 3600),
    default: '0',
    description:
      'How long Tenkey still accepts connections and serves calls after SIGTERM or SIGINT, in seconds, while `/ready` already responds 503, so that a load balancer stops sending requests. `SHUTDOWN_SECONDS` begins after that. 0: the port is closed at once.',
  },
  shutdownSeconds: {
    name: 'SHUTDOWN_SECONDS',
    section: 'service',
    kind: whole(0, 3600),
    default: '20',
    description:
      'How long a stop waits for running calls, in seconds. After that, all pending database work (refused attempts, usage, health of credentials) together has the same time, but at most six seconds. Each step has at least one second.',
  },
  usageRetentionDays: {
    name: 'USAGE_RETENTION_DAYS',
    section: 'service',
    kind: whole(0, 36_500),
    default: '90',
    description:
      'How long the usage record of each call is kept, in days. 0: for ever. The daily sums are always kept.',
  },
  auditRetentionDays: {
    name: 'AUDIT_RETENTION_DAYS',
    section: 'service',
    kind: whole(0, 36_500),
    default: '0',
    description:
      'How long an audit event is kept, in days. Older events are deleted, and an event records that, so that the rest can still be verified. That event must be signed, so this needs `ENCRYPTION_KEY`. 0: for ever.',
  },
  logLevel: {
    name: 'LOG_LEVEL',
    section: 'service',
    kind: oneOf(logLevels),
    default: 'info',
    description: `The lowest level that is logged: ${logLevels.join(', ')}.`,
  },
  maxBodyBytes: {
    name: 'MAX_BODY_BYTES',
    section: 'service',
    kind: whole(1024, 1024 * 1024 * 1024),
    default: String(32 * 1024 * 1024),
    description:
      'The largest body of a request under `/v1`, in bytes. For a compressed body, the decoded size counts.',
  },
  maxBufferedBytes: {
    name: 'MAX_BUFFERED_BYTES',
    section: 'service',
    kind: whole(1024, Number.MAX_SAFE_INTEGER),
    description:
      "How many bytes of bodies may be in memory at the same time. Requests above this limit are refused with 503 `overloaded`. The body of a request counts until the provider responds, because until then it may have to be sent again; one of at least 1 MiB counts as a whole once a 64th of it has arrived. What has to be held of a response counts if it is longer than 64 KiB: a whole body that is translated or whose ids are recorded, or one long event. Not set: a quarter of the container's memory limit, or 256 MiB if it has none. One body of `MAX_BODY_BYTES` always fits. The bodies of one tenant can take three quarters.",
  },
  strictParams: {
    name: 'STRICT_PARAMS',
    section: 'service',
    kind: flag,
    default: 'false',
    description:
      "`true`: a call with a parameter that the model's provider does not have is refused. `false`: the parameter is left out, and a response header names it.",
  },
  streamUsage: {
    name: 'STREAM_USAGE',
    section: 'service',
    kind: flag,
    default: 'true',
    description:
      "`true`: Tenkey requests the usage of a stream from the provider even if the client does not. It removes the usage from the client's stream again.",
  },
  aiModelsFile: {
    name: 'AI_MODELS_FILE',
    section: 'service',
    kind: text,
    description:
      'The file of the model catalogue. Not set: `apps/api/ai_models.yml`, which comes with Tenkey.',
  },
  wrongKeysPerMinute: {
    name: 'WRONG_KEYS_PER_MINUTE',
    section: 'service',
    kind: whole(0, 1_000_000),
    default: '20',
    description:
      'After how many wrong keys from one address within a minute Tenkey refuses, with 429 `throttled`, every key from there that it has not accepted in the last hour. Behind a reverse proxy, set `TRUST_PROXY` too: otherwise all clients have the address of the proxy. 0: no limit.',
  },
} satisfies Record<string, Setting>;
