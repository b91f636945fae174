/**
 * What each call used, and proof of whose key served it.
 *
 * Guarantees: one immutable record for each call that was to be sent, however it ends, written off its way in batches;
 * sums by day written in the same statement, so that both agree; what could not be kept is counted and shown, or named in the
 * log where a stop leaves no time for that; tokens are what the provider reported, read from its bytes as they pass, in bounded
 * memory; a receipt cannot be made without the encryption key.
 *
 * Does not: estimate tokens or prices, keep anything that was said, or count a call twice. A process that is killed loses
 * what it noted within the last second.
 */
export { CallMeter, type MeteredCall } from './metering/call-meter';
export { ReceiptsService } from './receipts/receipts.service';
export { UsageLogService } from './records/usage-log.service';
export { UsageMetricsService } from './records/usage-metrics.service';
export { UsageModule } from './usage.module';
export { UsageRecord } from './usage-record.entity';
