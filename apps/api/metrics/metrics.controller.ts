import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Registry } from 'prom-client';
import { Access, sysadminPrefix } from '#http';
import { MetricsService } from './metrics.service';

/** The metrics for Prometheus: counters of this process, and what is stored of all tenants. */
@ApiTags('Usage')
@Controller(`${sysadminPrefix}/metrics`)
export class MetricsController {
  constructor(private readonly metrics: MetricsService) {}

  @Get()
  @Access('sysadmin', 'usage:read', { acceptsBearer: true })
  @Header('content-type', Registry.PROMETHEUS_CONTENT_TYPE)
  @ApiOperation({
    summary: 'Get metrics for Prometheus',
    description:
      'Of this process: requests by route, status and problem; calls, tokens, durations and retries by provider; what Tenkey adds to a call; the pool of the database; the cache; usage records that wait to be written or are lost. Of all tenants: credentials by status, those that expire within 30, 7 or 1 days or that a provider refuses, and rows by encryption key.\n\nLet Prometheus send `Authorization: Bearer` (`authorization` in its scrape_config) with a sysadmin key that has only the scope usage:read and is not limited to some tenants. X-API-Key works too. With METRICS_PORT, the same metrics are at `/metrics` on a port of their own, without a key.\n\nWhile the database is unavailable, the metrics of what is stored are left out and `tenkey_credential_metrics_up` is 0. Only the super key can read the metrics here then.',
  })
  @ApiOkResponse({
    description: "In Prometheus' text format.",
    content: { 'text/plain': { schema: { type: 'string' } } },
  })
  getMetrics(): Promise<string> {
    return this.metrics.text();
  }
}
