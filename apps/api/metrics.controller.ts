import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { CredentialWarningsService } from '#credentials';
import { isDatabaseUnavailable, within } from '#database';
import { EgressService } from '#egress';
import { Access, sysadminPrefix } from '#http';
import { CallQueueService } from '#model-routing';
import { UsageMetricsService } from '#usage';

/** Prometheus stops waiting after ten seconds, and a dead connection to the database is only noticed after twenty. */
const warningsTimeoutMs = 3000;

/** The metrics for Prometheus: counters of this process, and the credentials of all tenants that need attention. */
@ApiTags('Usage')
@Access('sysadmin', 'usage:read')
@Controller(`${sysadminPrefix}/metrics`)
export class MetricsController {
  readonly #own = new Registry();
  readonly #expires = new Gauge({
    name: 'tenkey_credential_expires_timestamp_seconds',
    help: 'When a credential expires (only credentials that expire within 30 days or have expired). within_days is 30, 7 or 1, or 0 after the expiry.',
    labelNames: ['tenant_id', 'provider', 'contact_email', 'within_days'],
    registers: [this.#own],
  });
  readonly #rejections = new Gauge({
    name: 'tenkey_credential_rejections',
    help: 'How often a provider has refused a credential since it last accepted it (only credentials that it refuses).',
    labelNames: ['tenant_id', 'provider', 'contact_email'],
    registers: [this.#own],
  });
  readonly #up = new Gauge({
    name: 'tenkey_credential_metrics_up',
    help: '1: the metrics of credentials are included. 0: the database is unavailable or does not respond, and they are left out.',
    registers: [this.#own],
  });

  constructor(
    private readonly warnings: CredentialWarningsService,
    private readonly usage: UsageMetricsService,
    private readonly queue: CallQueueService,
    private readonly egress: EgressService,
  ) {
    collectDefaultMetrics({ register: this.#own });
  }

  @Get()
  @Header('content-type', Registry.PROMETHEUS_CONTENT_TYPE)
  @ApiOperation({
    summary: 'Get metrics for Prometheus',
    description:
      'Of this process: calls, tokens and durations by provider, and usage records that wait to be written or are lost. Of all tenants: credentials that expire within 30, 7 or 1 days or that a provider refuses.\n\nLet Prometheus send X-API-Key (`http_headers` in its scrape_config) with a sysadmin key that has only the scope usage:read and is not limited to some tenants.\n\nWhile the database is unavailable, the metrics of credentials are left out and `tenkey_credential_metrics_up` is 0. Only the super key can read the metrics then.',
  })
  @ApiOkResponse({
    description: "In Prometheus' text format.",
    content: { 'text/plain': { schema: { type: 'string' } } },
  })
  async getMetrics(): Promise<string> {
    const listed = this.warnings.list().catch((error: unknown) => {
      // The count of records that wait for the database matters most while it is unavailable.
      if (isDatabaseUnavailable(error)) return undefined;
      throw error;
    });
    const warnings = await within(warningsTimeoutMs, listed);
    this.#up.set(warnings === undefined ? 0 : 1);
    // Earlier values may be outdated, and no value is better than a wrong one.
    this.#expires.reset();
    this.#rejections.reset();
    for (const { tenantId, provider, contactEmail = '', expiresAt, withinDays, rejections } of warnings ??
      []) {
      // Prometheus treats an empty label like a missing one, so the route of an alert can match on it in either case.
      const labels = { tenant_id: tenantId, provider, contact_email: contactEmail };
      if (expiresAt !== undefined) {
        this.#expires.set({ ...labels, within_days: String(withinDays) }, expiresAt.getTime() / 1000);
      }
      if (rejections > 0) this.#rejections.set(labels, rejections);
    }
    return Registry.merge([
      this.#own,
      this.usage.registry,
      this.queue.registry,
      this.egress.registry,
    ]).metrics();
  }
}
