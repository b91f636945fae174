import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '#cache';
import { TenantsModule } from '#tenants';
import { PlatformUsageController } from './reports/platform-usage.controller';
import { ReceiptsService } from './receipts/receipts.service';
import { ReceiptsController } from './receipts/receipts.controller';
import { UsageResponsesService } from './reports/usage-responses.service';
import { UsageController } from './reports/usage.controller';
import { UsageLogService } from './records/usage-log.service';
import { UsageRecord } from './usage-record.entity';
import { UsageMetricsService } from './records/usage-metrics.service';
import { UsageReportService } from './reports/usage-report.service';
import { UsageSeriesService } from './reports/usage-series.service';
import { UsageRetentionService } from './records/usage-retention.service';

@Module({
  imports: [CacheModule, TypeOrmModule.forFeature([UsageRecord]), TenantsModule],
  controllers: [UsageController, PlatformUsageController, ReceiptsController],
  providers: [
    UsageLogService,
    UsageMetricsService,
    UsageReportService,
    UsageResponsesService,
    UsageSeriesService,
    UsageRetentionService,
    ReceiptsService,
  ],
  exports: [UsageLogService, UsageMetricsService, ReceiptsService],
})
export class UsageModule {}
