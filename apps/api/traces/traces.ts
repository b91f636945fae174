import { createRequire } from 'node:module';
import { Logger } from '@nestjs/common';
import { type Context, type Span, type TracerProvider } from '@opentelemetry/api';
import { type FastifyRequest, type onRequestHookHandler } from 'fastify';
import { type Config, ConfigError } from '#config';
import { within } from '#database';
import { isKnownRoute } from '#http';
import { type UsageRecord } from '#usage';
import { attributesOfCall, CONVENTIONS, nameOfCall } from './gen-ai';

const { version, peerDependencies } = createRequire(__filename)('#package.json') as {
  version: string;
  peerDependencies: Record<string, string>;
};

/** A call of a client that has disconnected may end a little after its request. */
const LATE_MS = 1000;
const STOP_MS = 2000;
/** How often the log says that traces cannot be sent. */
const WARN_MS = 60_000;

/** Version, trace id, span id and flags (W3C Trace Context, level 1). Later versions may append to it. */
const traceparent = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

type Packages = Awaited<ReturnType<typeof load>>;

/** The traces of requests, and in them of the calls to providers. */
interface Traces {
  readonly begin: onRequestHookHandler;
  /** For the option `onEnd` of beginRequest. */
  readonly end: (request: FastifyRequest, status: number) => void;
  /** A call has ended. Its span is made from its record, so that nothing is measured twice. */
  readonly call: (record: UsageRecord) => void;
  /** Sends what is left, for two seconds at most. */
  readonly stop: () => Promise<void>;
}

/**
 * Loads OpenTelemetry, if there is a collector.
 * @throws ConfigError when its packages are not installed
 */
export async function startTraces({ tracesEndpoint, tracesShare }: Config): Promise<Traces | undefined> {
  if (tracesEndpoint === undefined) return undefined;
  let packages: Packages;
  try {
    packages = await load();
  } catch (error) {
    if (!/MODULE_NOT_FOUND/.test(String((error as NodeJS.ErrnoException).code))) throw error;
    const names = Object.entries(peerDependencies).map(([name, range]) => `${name}@${range}`);
    throw new ConfigError([
      `OTEL_EXPORTER_OTLP_ENDPOINT is set, and the packages of OpenTelemetry are not installed. Run npm install --no-save ${names.join(' ')}, or remove the setting.`,
    ]);
  }
  return tracesOf(packages, `${tracesEndpoint}/v1/traces`, tracesShare);
}

/** The packages are optional, so nothing but this function imports them. */
async function load() {
  const [api, sdk, otlp, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  return { api, sdk, otlp, resources };
}

function tracesOf({ api, sdk, otlp, resources }: Packages, url: string, share: number): Traces {
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api;
  warnOfFaults(api);
  const provider = new sdk.TracerProvider({
    resource: resources
      .defaultResource()
      .merge(resources.resourceFromAttributes({ 'service.name': 'tenkey', 'service.version': version }))
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(share) }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new otlp.OTLPTraceExporter({ url }) })],
  });
  const tracer = (provider as TracerProvider).getTracer('tenkey', version, {
    schemaUrl: `https://opentelemetry.io/schemas/${CONVENTIONS}`,
  });
  /** The spans of requests, by the id of the request, which its usage record has too. */
  const spans = new Map<string, Span>();

  const parentOf = (header: unknown): Context => {
    const [, traceId = '', spanId = '', flags = ''] =
      typeof header === 'string' ? (traceparent.exec(header) ?? []) : [];
    const parent = { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true };
    return api.isSpanContextValid(parent) ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
  };

  return {
    begin: (request, _reply, done) => {
      const { method, tenkey } = request;
      const { route } = tenkey;
      const isKnown = isKnownRoute(route);
      const span = tracer.startSpan(
        isKnown ? `${method} ${route}` : method,
        {
          kind: SpanKind.SERVER,
          // Never the path itself, which may hold anything that a client put there.
          attributes: {
            'http.request.method': method,
            'url.scheme': request.protocol,
            'tenkey.request.id': request.id,
            ...(isKnown && { 'http.route': route }),
          },
        },
        parentOf(request.headers.traceparent),
      );
      spans.set(request.id, span);
      done();
    },
    end: ({ id, tenkey }, status) => {
      const span = spans.get(id);
      if (span === undefined) return;
      const { problem, tenantId } = tenkey;
      span.setAttribute('http.response.status_code', status);
      if (tenantId !== undefined) span.setAttribute('tenkey.tenant.id', tenantId);
      if (problem !== undefined) span.setAttribute('tenkey.problem', problem.code);
      // A stream that broke off has begun with a success.
      if (problem !== undefined && (problem.status >= 500 || status < 300)) {
        span.setAttribute('error.type', problem.code).setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
      setTimeout(() => spans.delete(id), LATE_MS).unref();
    },
    call: (record) => {
      if (record.attempts === 0) return;
      const parent = spans.get(record.requestId);
      const startTime = record.at.getTime();
      const span = tracer.startSpan(
        nameOfCall(record),
        { kind: SpanKind.CLIENT, startTime, attributes: attributesOfCall(record) },
        parent === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, parent),
      );
      if (record.code !== null) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(startTime + record.totalMs);
    },
    stop: async () => {
      await within(STOP_MS, provider.shutdown()).catch(() => undefined);
    },
  };
}

/** OpenTelemetry reports what it cannot send. The text may repeat what the collector responded, so it is not logged. */
function warnOfFaults({ diag, DiagLogLevel }: Packages['api']): void {
  const log = new Logger('traces');
  let warnedAt = -Infinity;
  const warn = () => {
    if (performance.now() - warnedAt < WARN_MS) return;
    warnedAt = performance.now();
    log.warn('traces are lost: the collector at OTEL_EXPORTER_OTLP_ENDPOINT does not accept them');
  };
  const nothing = () => undefined;
  const logger = { error: warn, warn: nothing, info: nothing, debug: nothing, verbose: nothing };
  diag.setLogger(logger, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true });
}
