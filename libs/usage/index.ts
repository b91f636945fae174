/**
 * Records what each call used, and issues receipts for whose key served it.
 *
 * Guarantees: Every call for which a route was decided has one immutable record, whatever its outcome, and no call waits for
 * it to be written. Records and the sums by hour and day are written in the same statement, so all agree. A record that cannot be
 * kept is counted in the reports, or in the log if the process stops before that. Tokens are what the provider reported, read
 * from the response as it passes, in bounded memory; only for a client that leaves a stream before that, they are estimated and
 * marked as such. A receipt cannot be made without the encryption key.
 *
 * Does not: calculate prices, keep any content, or count a call twice. A process that is killed loses at most the records of its
 * last two seconds.
 */
export { CallMeter, type MeteredCall } from './metering/call-meter';
export { type VerifyReceiptResponse } from './receipts/receipts.controller';
export { ReceiptsService } from './receipts/receipts.service';
export { usageFindings } from './records/usage-findings';
export { Histogram } from './records/histogram';
export { UsageLogService } from './records/usage-log.service';
export { UsageMetricsService } from './records/usage-metrics.service';
export { UsageModule } from './usage.module';
export { type UsageRecordPageResponse } from './reports/usage-records.dto';
export { type UsageReportResponse } from './reports/usage.dto';
export { type UsageSeriesReportResponse } from './reports/usage-series.dto';
export { UsageRecord } from './usage-record.entity';
export { CHARACTERS_PER_TOKEN } from './metering/streamed-tokens';
