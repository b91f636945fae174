// Other gateways, each as its documentation says to run it for one core. Every key is made for the run.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startPinned } from './processes.mjs';
import { installPythonPackage } from './python-package.mjs';

const bearer = (key) => ({ authorization: `Bearer ${key}` });
const newKey = () => `sk-${randomBytes(24).toString('hex')}`;

/** Portkey checks no key of its own: it passes on the key that the client sends. */
export const portkey = {
  name: 'portkey',
  title: 'Portkey',
  prepare: () => JSON.parse(readFileSync(join(portkeyFolder(), 'package.json'), 'utf8')).version,
  async start({ core, provider, folder }) {
    const port = await freePort();
    const process_ = await startPinned({
      core,
      command: process.execPath,
      args: [join(portkeyFolder(), 'build/start-server.js'), `--port=${port}`, '--headless'],
      env: { NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1' },
      logFile: join(folder, 'portkey.log'),
      port,
    });
    const key = newKey();
    const request = (work) => ({
      path: `/v1${work.path}`,
      headers: {
        ...bearer(key),
        'x-portkey-provider': work.provider,
        'x-portkey-custom-host': `http://127.0.0.1:${provider.port}/v1`,
      },
    });
    return { port, request, process: process_ };
  },
};

/**
 * LiteLLM's proxy with one worker and its master key, and without a database, as it cannot be installed with one everywhere.
 * Anthropic's messages are translated to chat completions, as in Tenkey, instead of to OpenAI's responses.
 */
export const litellm = {
  name: 'litellm',
  title: 'LiteLLM',
  requirement: 'litellm[proxy]==1.108.7',
  prepare: ({ data }) => versionOf(litellm, data),
  async start({ core, provider, folder, data }) {
    const port = await freePort();
    const file = join(folder, 'litellm.yaml');
    const base = `http://127.0.0.1:${provider.port}`;
    writeFileSync(
      file,
      `model_list:
  - model_name: gpt-4o
    litellm_params: { model: openai/gpt-4o, api_base: '${base}/v1', api_key: ${newKey()} }
  - model_name: claude-sonnet
    litellm_params: { model: anthropic/claude-sonnet-4-5, api_base: '${base}', api_key: ${newKey()} }
  - model_name: text-embedding-3-small
    litellm_params: { model: openai/text-embedding-3-small, api_base: '${base}/v1', api_key: ${newKey()} }
litellm_settings: { use_chat_completions_url_for_anthropic_messages: true }
general_settings: { master_key: os.environ/LITELLM_MASTER_KEY }
`,
    );
    const key = newKey();
    const process_ = await startPinned({
      core,
      command: join(data, 'litellm/bin/litellm'),
      args: ['--config', file, '--port', String(port), '--host', '127.0.0.1', '--num_workers', '1'],
      // Without this, the start downloads a list of prices.
      env: { LITELLM_MASTER_KEY: key, LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_LOG: 'ERROR' },
      cwd: folder,
      logFile: join(folder, 'litellm.log'),
      port,
    });
    return {
      port,
      request: (work) => ({ path: `/v1${work.path}`, headers: bearer(key) }),
      process: process_,
    };
  },
};

export const smg = {
  name: 'smg',
  title: 'smg',
  requirement: 'smg==1.13.0',
  prepare: ({ data }) => versionOf(smg, data),
  async start({ core, provider, folder, data }) {
    const port = await freePort();
    const metricsPort = await freePort();
    const key = newKey();
    const process_ = await startPinned({
      core,
      command: join(data, 'smg/bin/smg'),
      args: [
        'launch',
        ...['--host', '127.0.0.1', '--port', String(port), '--prometheus-port', String(metricsPort)],
        ...['--backend', 'openai', '--worker-urls', `http://127.0.0.1:${provider.port}`],
        ...['--api-key', key, '--history-backend', 'none', '--log-level', 'warn', '--disable-health-check'],
      ],
      cwd: folder,
      logFile: join(folder, 'smg.log'),
      port,
    });
    return {
      port,
      request: (work) => ({ path: `/v1${work.path}`, headers: bearer(key) }),
      process: process_,
    };
  },
};

function versionOf({ name, requirement }, data) {
  installPythonPackage(requirement, join(data, name));
  return requirement.split('==')[1];
}

function portkeyFolder() {
  return join(import.meta.dirname, '../node_modules/@portkey-ai/gateway');
}
