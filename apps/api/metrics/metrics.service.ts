import { Injectable } from '@nestjs/common';
import { Registry } from 'prom-client';
import { ProcessMetricsService } from './process-metrics.service';
import { StoredMetricsService } from './stored-metrics.service';

/** All metrics, as both the route and METRICS_PORT show them. */
@Injectable()
export class MetricsService {
  constructor(
    private readonly process: ProcessMetricsService,
    private readonly stored: StoredMetricsService,
  ) {}

  /** In Prometheus' text format. */
  async text(): Promise<string> {
    await this.stored.refresh();
    return Registry.merge([...this.process.registries, this.stored.registry]).metrics();
  }
}
