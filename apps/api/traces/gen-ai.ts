import { type Attributes } from '@opentelemetry/api';
import { type UsageRecord } from '#usage';

/**
 * The version of OpenTelemetry's semantic conventions whose names are used here. Those for generative AI still change, so a spec
 * compares them with the package of this version.
 */
export const CONVENTIONS = '1.45.0';

/** The names that the conventions have for providers; others keep their id. */
const providerNames: Readonly<Record<string, string>> = {
  azure: 'azure.ai.openai',
  gemini: 'gcp.gemini',
  mistral: 'mistral_ai',
  xai: 'x_ai',
};

/** The names that the conventions have for operations; others keep the name of their path. */
const operationNames: Readonly<Record<string, string>> = {
  'chat/completions': 'chat',
  messages: 'chat',
  responses: 'chat',
  completions: 'text_completion',
};

/** `chat gpt-4o`, as the conventions name a span. */
export function nameOfCall({ operation, target }: UsageRecord): string {
  return `${operationNames[operation] ?? operation} ${target}`;
}

/** What a trace says about a call to a provider. A usage record has no content, so nothing of a prompt or an answer can be here. */
export function attributesOfCall(record: UsageRecord): Attributes {
  const { host, code, upstreamStatus, attempts } = record;
  const [, address = host, port] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  const attributes: Attributes = {
    'gen_ai.operation.name': operationNames[record.operation] ?? record.operation,
    'gen_ai.provider.name': providerNames[record.provider] ?? record.provider,
    'gen_ai.request.model': record.target,
    'server.address': address,
    'tenkey.model': record.model,
    'tenkey.outcome': record.outcome,
    'tenkey.credential.source': record.source,
    'tenkey.tenant.id': record.tenantId,
  };
  const known = {
    'server.port': port === undefined ? null : Number(port),
    'http.response.status_code': upstreamStatus,
    'http.request.resend_count': attempts > 1 ? attempts - 1 : null,
    'gen_ai.usage.input_tokens': record.inputTokens,
    'gen_ai.usage.output_tokens': record.outputTokens,
    'gen_ai.usage.cache_read.input_tokens': record.cachedTokens,
    'gen_ai.usage.cache_creation.input_tokens': record.cacheWriteTokens,
    'error.type': code,
  };
  for (const [name, value] of Object.entries(known)) if (value !== null) attributes[name] = value;
  return attributes;
}
