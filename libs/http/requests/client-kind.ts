import { type IncomingHttpHeaders } from 'node:http';

/** Whose API a client speaks, as far as a request for an unknown route shows it. */
export type ClientKind = 'openai' | 'anthropic' | 'azure' | 'cohere';

/** The segments of paths that clients append to their base URL. Tenkey serves only some of them. */
const segmentsOfClients: ReadonlySet<string> = new Set([
  ...[
    'chat',
    'completions',
    'embeddings',
    'responses',
    'conversations',
    'audio',
    'images',
    'videos',
    'moderations',
  ],
  ...[
    'models',
    'files',
    'uploads',
    'batches',
    'fine_tuning',
    'vector_stores',
    'assistants',
    'threads',
    'realtime',
  ],
]);

/** @returns undefined when nothing suggests a client of one of the APIs */
export function clientKindOf(
  path: string,
  query: string | undefined,
  headers: IncomingHttpHeaders,
): ClientKind | undefined {
  const segments = path.split('/');
  const has = (segment: string) => segments.includes(segment);
  if (headers['anthropic-version'] !== undefined) return 'anthropic';
  if (has('openai') || has('deployments')) return 'azure';
  if (has('messages') && !has('threads')) return 'anthropic';
  const isKnown = segments.some((segment) => segmentsOfClients.has(segment));
  if (isKnown && (headers['api-key'] !== undefined || /(^|&)api-version=/i.test(query ?? ''))) return 'azure';
  if (has('rerank')) return 'cohere';
  return isKnown ? 'openai' : undefined;
}
