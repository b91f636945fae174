import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantsModule } from '#tenants';
import { OwnUsageController } from './own-usage.controller';
import { Receipts } from './receipts';
import { ReceiptsController } from './receipts.controller';
import { UsageAnswers } from './usage-answers';
import { UsageController } from './usage.controller';
import { UsageLog } from './usage-log.service';
import { UsageRecord } from './usage-record.entity';
import { UsageMetrics } from './usage-metrics';
import { UsageReport } from './usage-report.service';
import { UsageRetention } from './usage-retention.service';

@Module({
  imports: [TypeOrmModule.forFeature([UsageRecord]), TenantsModule],
  controllers: [UsageController, OwnUsageController, ReceiptsController],
  providers: [UsageLog, UsageMetrics, UsageReport, UsageAnswers, UsageRetention, Receipts],
  exports: [UsageLog, UsageMetrics, Receipts],
})
export class UsageModule {}
