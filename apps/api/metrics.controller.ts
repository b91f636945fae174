import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { CredentialWarningsService } from '#credentials';
import { isDatabaseUnavailable, within } from '#database';
import { Access, ApiProblems, sysadminPrefix } from '#http';
import { UsageMetricsService } from '#usage';

/** Prometheus gives up after ten seconds; a connection that carries nothing any more is given up after twenty. */
const WARNINGS_MS = 3000;

/** Counters of this process, and which tenants' credentials need somebody, for Prometheus. */
@ApiTags('6 Usage')
@ApiSecurity('super-api-key')
@Access('sysadmin', 'usage:read')
@Controller(`${sysadminPrefix}/metrics`)
export class MetricsController {
  readonly #own = new Registry();
  readonly #expires = new Gauge({
    name: 'tenkey_credential_expires_timestamp_seconds',
    help: 'When a credential ends that ends within 30 days or has ended; within_days is 30, 7, 1 or 0.',
    labelNames: ['tenant_id', 'provider', 'contact_email', 'within_days'],
    registers: [this.#own],
  });
  readonly #rejections = new Gauge({
    name: 'tenkey_credential_rejections',
    help: 'How often a provider refused a credential since it last accepted it; only of those it refuses.',
    labelNames: ['tenant_id', 'provider', 'contact_email'],
    registers: [this.#own],
  });
  readonly #up = new Gauge({
    name: 'tenkey_credential_metrics_up',
    help: '1: the metrics of credentials are here. 0: the database is away or does not answer, so that none of them is.',
    registers: [this.#own],
  });

  constructor(
    private readonly warnings: CredentialWarningsService,
    private readonly usage: UsageMetricsService,
  ) {
    collectDefaultMetrics({ register: this.#own });
  }

  @Get()
  @Header('content-type', Registry.PROMETHEUS_CONTENT_TYPE)
  @ApiOperation({
    summary: 'Metrics for Prometheus',
    description:
      'Calls, tokens and durations of this process by provider; usage records that wait or are lost; and, of all tenants, credentials that end within 30, 7 or 1 days or that a provider refuses. While the database is away those of credentials are left out, and `tenkey_credential_metrics_up` is 0; a sysadmin key is answered with 503 then, since it cannot be looked up, and the super key is not. Have Prometheus send X-API-Key with a sysadmin key that has the scope usage:read alone (`http_headers` in its scrape_config). A key that is for some tenants cannot see this.',
  })
  @ApiOkResponse({
    description: "In Prometheus' text format.",
    content: { 'text/plain': { schema: { type: 'string' } } },
  })
  @ApiProblems('unauthenticated', 'forbidden', 'credential_store_unavailable', 'internal_error')
  async metrics(): Promise<string> {
    const found = this.warnings.list().catch((error: unknown) => {
      // The records that wait for it must be seen then above all.
      if (isDatabaseUnavailable(error)) return undefined;
      throw error;
    });
    const warnings = await within(WARNINGS_MS, found);
    this.#up.set(warnings === undefined ? 0 : 1);
    // What was found before may be over: better none than one that is wrong.
    this.#expires.reset();
    this.#rejections.reset();
    for (const { tenantId, provider, contactEmail = '', expiresAt, withinDays, rejections } of warnings ??
      []) {
      // The label is always there: an alert's route can match on it, and an empty one is none to Prometheus.
      const labels = { tenant_id: tenantId, provider, contact_email: contactEmail };
      if (expiresAt !== undefined) {
        this.#expires.set({ ...labels, within_days: String(withinDays) }, expiresAt.getTime() / 1000);
      }
      if (rejections > 0) this.#rejections.set(labels, rejections);
    }
    return Registry.merge([this.#own, this.usage.registry]).metrics();
  }
}
