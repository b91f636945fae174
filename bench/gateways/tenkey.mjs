// Tenkey with everything on: strict mode, a tenant key, receipts, usage records, and the log in a file.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startPinned } from './processes.mjs';

const root = join(import.meta.dirname, '../..');

const catalogue = `completion_models:
  - { name: gpt-4o, litellm_model_name: openai/gpt-4o, vision: true }
  - { name: claude-sonnet, litellm_model_name: anthropic/claude-sonnet-4-5 }
embedding_models:
  - { name: text-embedding-3-small, litellm_model_name: openai/text-embedding-3-small }
`;

export const tenkey = {
  name: 'tenkey',
  title: 'Tenkey',
  prepare: ({ revision }) => `commit ${revision}`,
  async start({ core, provider, folder, database }) {
    const service = await startTenkey({
      core,
      provider,
      folder,
      databaseUrl: await database.create('bench'),
    });
    const { key } = await service.newTenant('bench');
    const request = (work) => ({ path: `/v1${work.path}`, headers: { authorization: `Bearer ${key}` } });
    return { port: service.port, request, process: service.process, databasePid: database.pid };
  },
};

/** The keys of an installation. Processes that share a database must share them. */
export function newKeys() {
  return {
    INTRIC_SUPER_API_KEY: randomBytes(24).toString('hex'),
    PLATFORM_API_KEY: randomBytes(24).toString('hex'),
    ENCRYPTION_KEY: `${randomBytes(32).toString('base64').replaceAll('+', '-').replaceAll('/', '_')}`,
  };
}

export async function startTenkey({ core, provider, folder, databaseUrl, keys = newKeys(), settings = {} }) {
  const port = await freePort();
  const modelsFile = join(folder, 'ai_models.yml');
  writeFileSync(modelsFile, catalogue);
  const process_ = await startPinned({
    core,
    command: process.execPath,
    args: [join(root, 'dist/apps/api/main.js')],
    env: {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      AI_MODELS_FILE: modelsFile,
      OPENAI_BASE_URL: `http://127.0.0.1:${provider.port}/v1`,
      ANTHROPIC_BASE_URL: `http://127.0.0.1:${provider.port}`,
      ...keys,
      ...settings,
    },
    // Tenkey reads .env in its working directory, and this one has none.
    cwd: folder,
    logFile: join(folder, `tenkey-${port}.log`),
    port,
  });
  return {
    port,
    process: process_,
    keys,
    sysadmin: (method, path, body) => sysadmin(port, keys, method, path, body),
    newTenant: (name) => newTenant(port, keys, name),
  };
}

/** The headers of a request of the sysadmin API, whose paths begin with this prefix. */
export const sysadminPrefix = '/api/v1/sysadmin';
export const sysadminHeaders = (keys) => ({ 'x-api-key': keys.INTRIC_SUPER_API_KEY });

async function sysadmin(port, keys, method, path, body) {
  const response = await fetch(`http://127.0.0.1:${port}${sysadminPrefix}${path}`, {
    method,
    headers: { ...sysadminHeaders(keys), ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}`);
  return response.json();
}

/** A tenant with a credential for each provider, and a key of its own. */
async function newTenant(port, keys, name) {
  const { id } = await sysadmin(port, keys, 'POST', '/tenants', { name });
  for (const provider of ['openai', 'anthropic']) {
    const api_key = `not-a-real-key-${randomBytes(16).toString('hex')}`;
    await sysadmin(port, keys, 'PUT', `/tenants/${id}/credentials/${provider}`, { api_key });
  }
  const { key } = await sysadmin(port, keys, 'POST', `/tenants/${id}/keys`, { name: 'bench' });
  return { id, key };
}
