import { baseUrl, share, text, whole } from './kinds';
import { type Setting } from './setting';

/** The settings of metrics and traces. */
export const monitoringSettings = {
  metricsPort: {
    name: 'METRICS_PORT',
    section: 'monitoring',
    kind: whole(1, 65_535),
    description:
      'A port of its own for the metrics: `/metrics` there needs no key, and also works while the database is unavailable. Not set: the metrics are only in the sysadmin API, with a key.',
  },
  metricsHost: {
    name: 'METRICS_HOST',
    section: 'monitoring',
    kind: text,
    default: '127.0.0.1',
    description:
      'The address on which `METRICS_PORT` is opened. The metrics name tenants and their contact addresses, so open it only on a network that may read them.',
  },
  tracesEndpoint: {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    section: 'monitoring',
    kind: baseUrl,
    description:
      'The address of an OpenTelemetry collector, such as `http://127.0.0.1:4318`. Tenkey sends it a trace of each request, with OTLP over HTTP at `/v1/traces`. A trace never contains a prompt or an answer. This needs the packages of OpenTelemetry, which are not installed with Tenkey. Not set: there are no traces.',
  },
  tracesShare: {
    name: 'OTEL_TRACES_SAMPLER_ARG',
    section: 'monitoring',
    kind: share,
    default: '1',
    description:
      'The share of the requests that are traced. A `traceparent` header of the client decides for its own request.',
  },
} satisfies Record<string, Setting>;
