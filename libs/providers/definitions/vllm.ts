import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import {
  apiKeyField,
  IsEndpoint,
  optionalEndpointField,
  ServerKeyFields,
  Trimmed,
} from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

class VllmFields extends ServerKeyFields {
  @ApiPropertyOptional({
    type: String,
    description:
      'Address of the server, which may end with `/v1`; http or https, without user name, query and fragment. ' +
      "Absent: the operator's VLLM_MODEL_URL.",
    example: 'http://vllm.models.svc.cluster.local:8000',
    nullable: true,
  })
  @Trimmed()
  @IsOptional()
  @IsEndpoint()
  endpoint?: string | null;
}

/**
 * https://docs.vllm.ai/en/latest/serving/online_serving: the operations of a server depend on its model. With `--api-key`,
 * every path below /v1 needs the key, including /v1/models (https://docs.vllm.ai/en/latest/usage/security). The server has
 * /rerank, /v1/rerank and /v2/rerank, which are the same; only the second needs the key.
 */
export const vllm = openAiCompatible({
  id: 'vllm',
  label: 'vLLM',
  families: ['vllm'],
  prefixes: ['hosted_vllm'],
  basePath: 'v1',
  credentialClass: VllmFields,
  fields: [apiKeyField, optionalEndpointField],
  example: { api_key: 'not-a-real-vllm-key', endpoint: 'http://vllm.models.svc.cluster.local:8000' },
  apiKeyVariable: 'VLLM_API_KEY',
  operations: [
    'chat/completions',
    'completions',
    'embeddings',
    'responses',
    'audio/transcriptions',
    'audio/translations',
    'rerank',
    'messages',
    'messages/count_tokens',
  ],
  // https://docs.vllm.ai/en/latest/serving/openai_compatible_server documents `stream_options` for both.
  usageOption: ['chat/completions', 'completions'],
  // vLLM reads this header with --enable-request-id-headers.
  passedRequestHeaders: ['x-request-id'],
  baseUrlVariables: ['VLLM_MODEL_URL'],
});
