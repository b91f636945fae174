import {
  addressesAndRanges,
  allowList,
  apiKeys,
  egressProxy,
  encryptionKey,
  encryptionKeys,
  flag,
  type Kind,
  oneOf,
  publicUrl,
  text,
  whole,
} from './kinds';
import { databaseSettings } from './database-settings';
import { monitoringSettings } from './monitoring-settings';
import { type Setting } from './setting';
import { timeouts, usualSeconds } from './timeouts';
import { trafficSettings } from './traffic-settings';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

const keyFix = 'Generate a key with `openssl rand -hex 32`.';
const encryptionKeyFix = '`npm run generate-encryption-key` prints a line for `.env`.';

/** Every setting, by its field of Config. The variables of the providers come from the providers (provider-settings.ts). */
export const settings = {
  superApiKeys: {
    name: 'INTRIC_SUPER_API_KEY',
    section: 'keys',
    kind: apiKeys,
    default: '',
    fix: keyFix,
    description:
      'The super key, which opens the sysadmin API (header `X-API-Key`). Required. While it is replaced, several keys are accepted, comma-separated.',
  },
  platformApiKeys: {
    name: 'PLATFORM_API_KEY',
    section: 'keys',
    kind: apiKeys,
    default: '',
    fix: keyFix,
    description:
      'The platform key, which opens `/v1` (header `X-API-Key`, with `X-Tenant-ID`). It must differ from the super key. Several are accepted, comma-separated. Not set: `/v1` accepts tenant keys only.',
  },
  encryptionKey: {
    name: 'ENCRYPTION_KEY',
    section: 'keys',
    kind: encryptionKey,
    fix: encryptionKeyFix,
    description: `The encryption key, which seals the stored credentials as soon as every process has it. Required in strict mode. ${encryptionKeyFix} Keep a copy: without it the stored credentials cannot be read.`,
  },
  previousEncryptionKeys: {
    name: 'ENCRYPTION_KEY_PREVIOUS',
    section: 'keys',
    kind: encryptionKeys,
    default: '',
    fix: encryptionKeyFix,
    description:
      'Other encryption keys that stored credentials may be sealed under, comma-separated. They open credentials, and one of them seals as long as some process does not have `ENCRYPTION_KEY`.',
  },
  tenantCredentialsEnabled: {
    name: 'TENANT_CREDENTIALS_ENABLED',
    section: 'mode',
    kind: flag,
    default: 'true',
    description:
      '`true`, strict mode: every tenant uses its own credentials, and there is no fallback. `false`, single-tenant mode: all tenants use the global keys.',
  },
  legacyModelsUseGlobalKeys: {
    name: 'LEGACY_MODELS_USE_GLOBAL_KEYS',
    section: 'mode',
    kind: flag,
    default: 'false',
    description:
      '`true`: in strict mode, models without `litellm_model_name` use the global keys, and the operator pays for them.',
  },
  credentialRollbackHours: {
    name: 'CREDENTIAL_ROLLBACK_HOURS',
    section: 'replacement',
    kind: whole(0, 8760),
    default: '72',
    description:
      'How long the previous credential is kept after a promotion, in hours. It stays sealed, and until then the promotion can be rolled back. 0: it is not kept.',
  },
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
  ...trafficSettings,
  ...monitoringSettings,
  ...databaseSettings,
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
} satisfies Record<string, Setting>;

type ValueOf<S> = S extends { kind: Kind<infer T> }
  ? S extends { default: string }
    ? T
    : T | undefined
  : never;

/** The value of each setting that the service reads. */
export type SettingValues = {
  readonly [
    F in keyof typeof settings as (typeof settings)[F] extends { isTestOnly: true } ? never : F
  ]: ValueOf<(typeof settings)[F]>;
};
