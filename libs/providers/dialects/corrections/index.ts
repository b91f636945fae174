import { type Operation, type Provider } from '../../provider';
import { type Correction } from './correction';
import { encodingAskedFor, vectorsAs } from './embedding-encoding';
import { plainContent } from './plain-content';

/**
 * @param request of the client, whose parameters `text` reads
 * @returns undefined when the responses of this provider pass unchanged
 */
export function correctionOf(
  provider: Provider,
  operation: Operation,
  request: { text(name: string): string | undefined },
): Correction | undefined {
  if (operation === 'chat/completions') return provider.hasContentParts ? plainContent : undefined;
  if (operation !== 'embeddings') return undefined;
  const encoding = encodingAskedFor(request);
  return encoding && vectorsAs[encoding];
}
