import { platformKey, startTestApp, type TestApp } from './app';

const catalogue = `
completion_models:
  - { name: gpt-4o, litellm_model_name: gpt-4o }
  - { name: gpt-4o-azure, litellm_model_name: azure/gpt-4o }
  - { name: gemma, litellm_model_name: hosted_vllm/google/gemma-3-27b-it }
  - { name: claude-sonnet, litellm_model_name: anthropic/claude-sonnet-4-5 }
  - { name: mistral-large, litellm_model_name: mistral/mistral-large-latest }
  - { name: without-a-credential, litellm_model_name: berget/meta-llama/Llama-3.3-70B-Instruct }
embedding_models:
  - { name: embedding, litellm_model_name: text-embedding-3-small }
  - { name: embedding-azure, litellm_model_name: azure/text-embedding-3-small }
  - { name: embedding-vllm, litellm_model_name: hosted_vllm/intfloat/multilingual-e5-large }
  - { name: embedding-mistral, litellm_model_name: mistral/mistral-embed }
transcription_models:
  - { name: whisper, litellm_model_name: whisper-1 }
  - { name: whisper-azure, litellm_model_name: azure/whisper }
speech_models:
  - { name: speech, litellm_model_name: gpt-4o-mini-tts }
image_models:
  - { name: image, litellm_model_name: gpt-image-1 }
rerank_models:
  - { name: reranker, litellm_model_name: hosted_vllm/BAAI/bge-reranker-v2-m3 }
moderation_models:
  - { name: moderation, litellm_model_name: omni-moderation-latest }
`;

/** A model as a client names it, and the request that its provider must then receive. */
export interface ServedModel {
  readonly title: string;
  readonly model: string;
  /** Whose Azure resource: one has the dated API with deployments in the path, the other the v1 API. */
  readonly tenant: 'dated' | 'v1';
  readonly path: string;
  readonly key: string;
  readonly upstreamModel: string;
}

const keys = {
  openai: 'sk-of-the-openai-account-a1b2',
  azure: 'key-of-the-azure-resource-c3d4',
  vllm: 'key-of-the-vllm-server-e5f6',
  anthropic: 'sk-ant-of-the-anthropic-account-g7h8',
  mistral: 'key-of-the-mistral-account-i9j0',
};

const chat = '/v1/chat/completions';
export const openai: ServedModel = {
  title: 'OpenAI',
  model: 'gpt-4o',
  tenant: 'dated',
  path: chat,
  key: keys.openai,
  upstreamModel: 'gpt-4o',
};
export const azure: ServedModel = {
  title: 'Azure, deployment in the path',
  model: 'gpt-4o-azure',
  tenant: 'dated',
  path: '/openai/deployments/gpt-4o-sweden/chat/completions',
  key: keys.azure,
  upstreamModel: 'gpt-4o-sweden',
};
export const azureV1: ServedModel = {
  ...azure,
  title: 'Azure, v1 API',
  tenant: 'v1',
  path: '/openai/v1/chat/completions',
};
export const vllm: ServedModel = {
  title: 'vLLM',
  model: 'gemma',
  tenant: 'dated',
  path: chat,
  key: keys.vllm,
  upstreamModel: 'google/gemma-3-27b-it',
};
export const anthropic: ServedModel = {
  title: 'Anthropic',
  model: 'claude-sonnet',
  tenant: 'dated',
  path: '/v1/messages',
  key: keys.anthropic,
  upstreamModel: 'claude-sonnet-4-5',
};
export const mistral: ServedModel = {
  title: 'Mistral',
  model: 'mistral-large',
  tenant: 'dated',
  path: chat,
  key: keys.mistral,
  upstreamModel: 'mistral-large-latest',
};

/** One model of each kind of provider that serves chat completions. */
export const chatModels = [openai, azure, azureV1, vllm, mistral, anthropic];

/** What a client needs to know about Tenkey. */
export interface TenkeyForClients {
  /** Without a path: `http://127.0.0.1:<port>`. */
  readonly origin: string;
  readonly provider: TestApp['provider'];
  /** The headers of the platform key and of the tenant. */
  headers(tenant?: ServedModel['tenant']): { 'X-API-Key': string; 'X-Tenant-ID': string };
  /** A tenant key, as the tenant's own applications use it. */
  readonly tenantKey: string;
  close(): Promise<void>;
}

/** Tenkey on a separate port, two tenants with credentials for a local provider, and clients' models. */
export async function startTenkeyForClients(): Promise<TenkeyForClients> {
  const tenkey = await startTestApp({}, { models: catalogue });
  const { provider } = tenkey;
  const tenants = { dated: await tenkey.createTenant(), v1: await tenkey.createTenant() };
  const set = async (tenant: string, id: keyof typeof keys, fields: object = {}) => {
    const { status } = await tenkey.setCredential(tenant, id, { api_key: keys[id], ...fields });
    if (status !== 200) throw new Error(`the credential for ${id} was not taken: ${status}`);
  };
  const resource = { endpoint: provider.url, deployment_name: 'gpt-4o-sweden' };
  for (const id of ['openai', 'anthropic', 'mistral'] as const) await set(tenants.dated, id);
  await set(tenants.dated, 'vllm', { endpoint: provider.url });
  await set(tenants.dated, 'azure', { ...resource, api_version: '2024-10-21' });
  await set(tenants.v1, 'azure', { ...resource, api_version: 'v1' });
  const issued = await tenkey
    .sysadmin('post', `/tenants/${tenants.dated}/keys`)
    .send({ name: 'applications' });
  if (issued.status !== 201) throw new Error(`no tenant key was issued: ${issued.status}`);
  const { port } = tenkey.nest.getHttpServer().address() as { port: number };
  return {
    origin: `http://127.0.0.1:${port}`,
    provider,
    tenantKey: String(issued.body.key),
    headers: (tenant = 'dated') => ({ 'X-API-Key': platformKey, 'X-Tenant-ID': tenants[tenant] }),
    close: () => tenkey.close(),
  };
}
