import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantsModule } from '#tenants';
import { OwnUsageController } from './reports/own-usage.controller';
import { Receipts } from './receipts/receipts';
import { ReceiptsController } from './receipts/receipts.controller';
import { UsageAnswers } from './reports/usage-answers';
import { UsageController } from './reports/usage.controller';
import { UsageLog } from './records/usage-log.service';
import { UsageRecord } from './usage-record.entity';
import { UsageMetrics } from './records/usage-metrics';
import { UsageReport } from './reports/usage-report.service';
import { UsageRetention } from './records/usage-retention.service';

@Module({
  imports: [TypeOrmModule.forFeature([UsageRecord]), TenantsModule],
  controllers: [UsageController, OwnUsageController, ReceiptsController],
  providers: [UsageLog, UsageMetrics, UsageReport, UsageAnswers, UsageRetention, Receipts],
  exports: [UsageLog, UsageMetrics, Receipts],
})
export class UsageModule {}
