/**
 * What a call used, as the provider said it.
 *
 * Guarantees: an answer's tokens are read while its bytes pass; nothing of it is kept, nothing is changed, nothing that a
 * model writes counts, and no answer makes it fail. What a provider does not report is null, never an estimate.
 *
 * It counts no tokens itself and knows no prices.
 */
export type { ReportedTokens } from './reported-tokens';
export { UsageScanner } from './usage-scanner';
