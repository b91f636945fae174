import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse as parseEnv } from 'dotenv';
import { parse } from 'yaml';
import { loadConfig } from '#config';
import { generateKey } from '#crypto';
import { ModelCatalogue } from '#model-routing';
import { startTestApp, type TestApp } from './support/app';
import { runCli, runCliProcess } from './support/cli';
import { type ProviderServer, startProviderServer } from './support/provider-server';

const fixtures = 'test/fixtures/litellm';

/** Line, severity and the beginning of the reason of each finding in left-out.yaml. */
const leftOut: readonly (readonly [number, 'fault' | 'warning', string])[] = [
  [7, 'fault', 'gpt-4o: rpm is not carried over: limit the tenant keys'],
  [8, 'fault', 'gpt-4o: temperature is not carried over: LiteLLM sends this value with each request'],
  [9, 'fault', 'gpt-4o: timeout is not carried over: set UPSTREAM_TIMEOUTS and UPSTREAM_RETRIES'],
  [10, 'fault', 'gpt-4o: extra_headers is not carried over: Tenkey sends no headers or fields'],
  [13, 'fault', 'gpt-4o: model_info.id is not carried over: Tenkey has nothing that corresponds to it'],
  [14, 'fault', 'gpt-4o: model_info.input_cost_per_token is not carried over: Tenkey counts tokens'],
  [15, 'fault', 'gpt-4o: model_info.max_input_tokens is not carried over: add token_limit'],
  [16, 'fault', 'gpt-4o: tpm is not carried over: limit the tenant keys'],
  [17, 'fault', 'gpt-4o: this name is already on line 3, and only that entry is carried over'],
  [20, 'fault', 'claude: model has the prefix bedrock/, which does not use the format of OpenAI'],
  [22, 'fault', 'gemini: model has the prefix vertex_ai/, which does not use the format of OpenAI'],
  [24, 'fault', "llama: model has the prefix ollama/, which is called by LiteLLM in Ollama's own format"],
  [26, 'fault', 'sonar: model has a prefix that is no provider of Tenkey; if its server uses'],
  [28, 'fault', 'unknown: model has no prefix, and only LiteLLM knows which provider it means'],
  [29, 'fault', 'model_name is a wildcard, which names no model'],
  [32, 'fault', 'all-of-openai: model is a wildcard, which names no model'],
  [34, 'fault', 'anthropic-gateway: it has an address of its own'],
  [35, 'warning', '3 models have no model_info.mode, here and below'],
  [36, 'fault', 'no credential for anthropic: api_key needs the variable ANTHROPIC_FIRST, which is not set'],
  [38, 'fault', 'claude-second: it needs a second Anthropic credential'],
  [39, 'fault', 'no credential for azure: there is no api_key, and Tenkey signs in with an API key only'],
  [44, 'fault', 'azure-ad: azure_ad_token is not carried over: Tenkey signs in with an API key only'],
  [46, 'fault', 'azure-version: api_version is missing'],
  [48, 'fault', 'organizations: organization is a list'],
  [51, 'fault', 'batch: no list of the catalogue is for models of this mode'],
  [53, 'fault', 'address: api_base must not contain a user name or password'],
  [55, 'fault', 'address-variable: api_base needs the variable NO_SUCH_ADDRESS, which is not set'],
  [57, 'fault', 'no-address: api_base is missing'],
  [58, 'fault', 'no-credential: litellm_credential_name is not in credential_list'],
  [61, 'fault', 'no credential: groq: api_key must have at least 8 characters'],
  [64, 'fault', 'unused: no model that was carried over uses this credential'],
  [68, 'fault', 'litellm_settings.drop_params is not carried over: Tenkey leaves out only'],
  [69, 'fault', 'litellm_settings.set_verbose is not carried over: Tenkey has its own log'],
  [70, 'fault', 'litellm_settings.callbacks is not carried over: Tenkey has its own log'],
  [71, 'fault', 'litellm_settings.success_callback is not carried over: Tenkey has its own log'],
  [72, 'fault', 'litellm_settings.num_retries is not carried over: set UPSTREAM_TIMEOUTS'],
  [73, 'fault', 'litellm_settings.cache is not carried over: Tenkey caches no responses'],
  [
    74,
    'fault',
    'litellm_settings.context_window_fallbacks is not carried over: no call of Tenkey falls back',
  ],
  [77, 'fault', 'router_settings.routing_strategy is not carried over: Tenkey calls one deployment'],
  [79, 'fault', 'router_settings.fallbacks is not carried over: no call of Tenkey falls back'],
  [80, 'fault', 'router_settings.redis_password is not carried over: Tenkey caches no responses'],
  [82, 'fault', 'general_settings.master_key is not carried over: clients need new keys'],
  [83, 'fault', 'general_settings.database_url is not carried over: set DATABASE_URL'],
  [84, 'fault', 'general_settings.alerting is not carried over: Tenkey has its own log'],
  [86, 'fault', 'guardrails pii is not carried over: Tenkey changes and checks no prompts'],
  [88, 'fault', 'guardrails injection is not carried over: Tenkey changes and checks no prompts'],
  [91, 'fault', 'environment_variables.LANGFUSE_SECRET_KEY is not carried over: no model uses this variable'],
  [93, 'fault', 'mcp_servers.github is not carried over: Tenkey has nothing that corresponds to it'],
];

describe('npx tenkey import litellm', () => {
  const folder = mkdtempSync(join(tmpdir(), 'import-litellm-'));
  const at = (name: string) => join(folder, name);
  const outputs: string[] = [];
  const run = async (env: Record<string, string | undefined>, ...words: string[]) => {
    const result = await runCli(env, 'import', 'litellm', ...words);
    outputs.push(result.stdout, result.stderr);
    return result;
  };

  let servers: ProviderServer;
  let tenkey: TestApp;
  let sundsvall: string;
  const local = () => ({
    LOCAL_SERVER: servers.url,
    LOCAL_KEY_1: 'fake-local-key-0001',
    LOCAL_KEY_2: 'fake-local-key-0002',
    LOCAL_KEY_4: 'fake-local-key-0004',
    LOCAL_KEY_5: 'fake-local-key-0005',
    DATABASE_URL: tenkey?.databaseUrl,
    EGRESS_ALLOW: `127.0.0.1:${servers.port}`,
  });
  beforeAll(async () => {
    servers = await startProviderServer();
    const { code, stdout, stderr } = await run(local(), `${fixtures}/local.yaml`);
    expect([code, stderr]).toEqual([0, expect.stringContaining('These keys were not stored: --env-out')]);
    tenkey = await startTestApp({ EGRESS_ALLOW: `127.0.0.1:${servers.port}` }, { models: stdout });
    sundsvall = await tenkey.createTenant('sundsvall');
    await tenkey.createTenant('harnosand');
  });
  afterAll(async () => {
    await tenkey.close();
    await servers.close();
    rmSync(folder, { recursive: true });
  });
  afterEach(() => {
    const secrets = /fake-[a-z-]*(?:key|secret|token|password)|sk-fake/;
    expect([...outputs, ...tenkey.logLines].filter((text) => secrets.test(text))).toEqual([]);
  });

  const simpleEnv = {
    OPENAI_API_KEY: 'fake-openai-key-0001',
    IMPORTED_ANTHROPIC_KEY: 'fake "anthropic" key #0002',
    IMPORTED_COHERE_KEY: 'fake-cohere-key-0003',
  };

  it('carries everything over that has a counterpart, into files that it never overwrites', async () => {
    const words = [`${fixtures}/simple.yaml`, '--out', at('models.yml'), '--env-out', at('keys.env')];
    const { code, stdout, stderr } = await run(simpleEnv, ...words);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      `${at('models.yml')} is written`,
      `${at('keys.env')} is written`,
      'OpenAI (openai): ...0001, as OPENAI_API_KEY',
      'Anthropic (anthropic): ...0002, as ANTHROPIC_API_KEY',
      'Groq (groq): ...0007, as GROQ_API_KEY',
      'Cohere (cohere): ...0003, as COHERE_API_KEY',
      '8 models, 0 declared providers, 4 credentials. 0 faults, 0 warnings',
      '',
    ]);
    const text = readFileSync(at('models.yml'), 'utf8');
    expect(parse(text)).toEqual({
      completion_models: [
        { name: 'gpt-4o', litellm_model_name: 'openai/gpt-4o', vision: true },
        { name: 'claude-sonnet', litellm_model_name: 'anthropic/claude-sonnet-4-5', reasoning: true },
      ],
      embedding_models: [
        {
          name: 'embed-small',
          litellm_model_name: 'openai/text-embedding-3-small',
          max_input: 8191,
          dimensions: 1536,
        },
      ],
      transcription_models: [{ name: 'whisper', litellm_model_name: 'groq/whisper-large-v3' }],
      speech_models: [{ name: 'tts', litellm_model_name: 'openai/tts-1' }],
      image_models: [{ name: 'pictures', litellm_model_name: 'openai/gpt-image-1' }],
      moderation_models: [{ name: 'moderation', litellm_model_name: 'openai/omni-moderation-latest' }],
      rerank_models: [{ name: 'rerank', litellm_model_name: 'cohere/rerank-v3.5' }],
    });
    expect((await runCli({}, 'models', 'check', at('models.yml'), '--strict')).code).toBe(0);
    expect(statSync(at('keys.env')).mode & 0o777).toBe(0o600);
    expect(statSync(at('models.yml')).mode & 0o111).toBe(0);
    const env = parseEnv(readFileSync(at('keys.env')));
    expect(env).toEqual({
      OPENAI_API_KEY: simpleEnv.OPENAI_API_KEY,
      ANTHROPIC_API_KEY: simpleEnv.IMPORTED_ANTHROPIC_KEY,
      GROQ_API_KEY: 'fake-groq-key-of-the-file-0007',
      COHERE_API_KEY: simpleEnv.IMPORTED_COHERE_KEY,
    });
    const config = {
      INTRIC_SUPER_API_KEY: 'a-super-key-of-enough-length',
      TENANT_CREDENTIALS_ENABLED: 'false',
    };
    expect(() => loadConfig({ ...config, ...env })).not.toThrow();

    const again = await run(simpleEnv, ...words);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('keys.env is already written')]);
    // With another key, the file with keys would change, so nothing is written.
    rmSync(at('models.yml'));
    const changed = await run({ ...simpleEnv, OPENAI_API_KEY: 'fake-openai-key-0009' }, ...words);
    expect([changed.code, changed.stderr]).toEqual([
      1,
      expect.stringContaining('exists and is not overwritten'),
    ]);
    expect(() => statSync(at('models.yml'))).toThrow('ENOENT');
    expect(parseEnv(readFileSync(at('keys.env')))).toEqual(env);
  });

  it('makes a provider of its own of each further account and server', async () => {
    const keys = Object.fromEntries(
      [
        'AZURE_SWEDEN_KEY',
        'AZURE_THIRD_KEY',
        'QWEN_KEY',
        'OPENAI_API_KEY',
        'OPENAI_SECOND_KEY',
        'MISTRAL_API_KEY',
      ].map((name) => [name, `fake-key-${name}`]),
    );
    const env = { ...keys, GEMMA_ADDRESS: 'http://gemma.models.svc:8000' };
    const words = [`${fixtures}/servers.yaml`, '--out', at('servers.yml'), '--env-out', at('servers.env')];
    const { code, stdout } = await run(env, ...words);
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('11 models, 6 declared providers, 10 credentials.'),
    ]);
    expect(stdout.match(/^.*: warning: .*$/gm)).toEqual([
      expect.stringMatching(/servers.yaml:11: warning: o3: responses\/ in model/),
      expect.stringMatching(/servers.yaml:24: warning: the credential for vllm: .* the key EMPTY/),
      expect.stringMatching(/servers.yaml:51: warning: openai-second: it is called through the provider/),
      expect.stringMatching(/servers.yaml:54: warning: mistral: it is called through the provider/),
    ]);
    const catalogue = ModelCatalogue.load(at('servers.yml'));
    expect(
      catalogue.all().map((model) => [model.name, model.litellm_model_name, model.deployment_name]),
    ).toEqual([
      ['gpt-4o', 'azure/gpt-4o-sweden', 'gpt-4o-sweden'],
      ['o3', 'azure/o3', 'o3'],
      ['gpt-4o-france', 'gpt_4o_france/gpt-4o', 'gpt-4o'],
      ['llama', 'hosted_vllm/meta-llama/Llama-3.3-70B', undefined],
      ['gemma', 'gemma/google/gemma-3-27b-it', undefined],
      ['Qwen 3 (Örebro)', 'openai_compatible/Qwen/Qwen3-32B', undefined],
      ['qwen-other', 'qwen_other/Qwen/Qwen3-8B', undefined],
      ['openai-first', 'openai/gpt-4o', undefined],
      ['openai-second', 'openai_second/gpt-4o-mini', undefined],
      ['mistral', 'mistral_2/mistral-large-latest', undefined],
      ['embed', 'azure_the_third/embed-3', 'embed-3'],
    ]);
    const values = parseEnv(readFileSync(at('servers.env')));
    expect(values).toEqual({
      AZURE_API_KEY: keys.AZURE_SWEDEN_KEY,
      AZURE_ENDPOINT: 'https://sweden.openai.azure.com',
      AZURE_API_VERSION: '2024-10-21',
      AZURE_DEPLOYMENT_NAME: 'gpt-4o-sweden',
      GPT_4O_FRANCE_API_KEY: 'fake-azure-key-of-france-0008',
      GPT_4O_FRANCE_API_VERSION: '2025-01-01-preview',
      GPT_4O_FRANCE_DEPLOYMENT_NAME: 'gpt-4o',
      AZURE_THE_THIRD_API_KEY: keys.AZURE_THIRD_KEY,
      AZURE_THE_THIRD_API_VERSION: '2024-06-01',
      AZURE_THE_THIRD_DEPLOYMENT_NAME: 'embed-3',
      VLLM_API_KEY: 'EMPTY',
      VLLM_MODEL_URL: 'http://llama.models.svc:8000/v1',
      GEMMA_API_KEY: 'EMPTY',
      OPENAI_COMPATIBLE_API_KEY: keys.QWEN_KEY,
      OPENAI_COMPATIBLE_BASE_URL: 'https://llm.orebro.example/v1',
      QWEN_OTHER_API_KEY: keys.QWEN_KEY,
      OPENAI_API_KEY: keys.OPENAI_API_KEY,
      OPENAI_ORG_ID: 'org-first',
      OPENAI_SECOND_API_KEY: keys.OPENAI_SECOND_KEY,
      MISTRAL_2_API_KEY: keys.MISTRAL_API_KEY,
    });
    // Single-tenant mode accepts every one of these variables, and finds the address of each provider.
    const config = loadConfig({
      INTRIC_SUPER_API_KEY: 'a-super-key-of-enough-length',
      TENANT_CREDENTIALS_ENABLED: 'false',
      ...values,
    });
    expect(config.faultsOfDeclared(catalogue.providers.declared)).toEqual([]);
    expect(
      catalogue.providers.declared.map((provider) => [provider.id, config.endpointOf(provider)]),
    ).toEqual([
      ['gpt_4o_france', 'https://france.openai.azure.com'],
      ['azure_the_third', 'https://third.openai.azure.com'],
      ['gemma', 'http://gemma.models.svc:8000'],
      ['qwen_other', 'https://llm.other.example/v1'],
      ['openai_second', 'https://api.openai.com/v1'],
      ['mistral_2', 'https://mistral.gateway.example/v1'],
    ]);
  });

  it('names the line of everything that is not carried over', async () => {
    const { code, stdout, stderr } = await run({}, `${fixtures}/left-out.yaml`, '--json');
    const report = JSON.parse(stdout) as {
      findings: { file: string; line: number; severity: string; reason: string }[];
      catalogue: string;
      [name: string]: unknown;
    };
    expect([code, stderr]).toEqual([1, '']);
    const begun = report.findings.map(({ line, severity, reason }, index) => {
      return [line, severity, reason.slice(0, leftOut[index]?.[2].length)];
    });
    expect(begun).toEqual(leftOut);
    expect(new Set(report.findings.map(({ file }) => file))).toEqual(new Set([`${fixtures}/left-out.yaml`]));
    expect(report).toMatchObject({
      faults: leftOut.length - 1,
      warnings: 1,
      models: 5,
      declared_providers: [],
    });
    expect(report.credentials).toEqual([
      {
        provider: 'openai',
        masked_key: '...0001',
        config: {},
        global_variable: 'OPENAI_API_KEY',
        file: `${fixtures}/left-out.yaml`,
        line: 6,
      },
    ]);
    expect(parse(report.catalogue)).toMatchObject({
      completion_models: [
        { name: 'gpt-4o' },
        { name: 'claude-first' },
        { name: 'azure-ad' },
        { name: 'short' },
        { name: 'gpt-4', litellm_model_name: 'openai/gpt-4o' },
      ],
    });
  });

  it('stores a credential for each provider and tenant, and calls reach each server with its own key', async () => {
    const words = [`${fixtures}/local.yaml`, '--out', at('local.yml'), '--tenants', `sundsvall`];
    const plan = await run(local(), ...words);
    expect(plan.code).toBe(0);
    expect(plan.stdout).toContain(`vLLM (vllm): ...0001\n  would set   sundsvall (${sundsvall})\n`);
    expect(plan.stdout).toContain(
      'Credentials of tenants: 5 to set, 0 skipped, 0 failed. No credential was stored',
    );
    const listed = async () =>
      (await tenkey.sysadmin('get', `/tenants/${sundsvall}/credentials`)).body.credentials;
    expect(await listed()).toEqual([]);

    const stored = await runCliProcess(local(), 'import', 'litellm', ...words, '--yes');
    outputs.push(stored.stdout, stored.stderr);
    expect([stored.code, stored.stdout]).toEqual([
      0,
      expect.stringContaining('5 set, 0 skipped, 0 failed.\n'),
    ]);
    const credentials = await listed();
    expect(credentials).toMatchObject([
      { provider: 'azure', masked_key: '...0004', status: 'ready' },
      { provider: 'gpt_4o_mini', masked_key: '...0005', status: 'ready' },
      { provider: 'openai_compatible', masked_key: '...0003', status: 'ready' },
      { provider: 'qwen', masked_key: '...0002', status: 'ready' },
      { provider: 'vllm', masked_key: '...0001', status: 'ready' },
    ]);
    const again = await run(local(), ...words, '--yes');
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('0 set, 5 skipped, 0 failed.\n')]);
    expect(await listed()).toEqual(credentials);

    for (const [model, key, path, upstream] of [
      ['gemma', 'fake-local-key-0001', '/v1/chat/completions', 'google/gemma-3-27b-it'],
      ['qwen', 'fake-local-key-0002', '/v1/chat/completions', 'Qwen/Qwen3-32B'],
      ['llama', 'fake-key-of-orebro-0003', '/v1/chat/completions', 'meta-llama/Llama-3.3-70B'],
      [
        'gpt-4o',
        'fake-local-key-0004',
        '/openai/deployments/gpt-4o-sweden/chat/completions',
        'gpt-4o-sweden',
      ],
      ['gpt-4', 'fake-local-key-0004', '/openai/deployments/gpt-4o-sweden/chat/completions', 'gpt-4o-sweden'],
      [
        'gpt-4o-mini',
        'fake-local-key-0005',
        '/openai/deployments/mini-sweden/chat/completions',
        'mini-sweden',
      ],
    ] as const) {
      const { status } = await tenkey.chat(sundsvall, { model });
      const request = servers.requests.at(-1);
      const isKey = request?.key === key;
      expect([model, status, isKey, request?.path, request?.body.model]).toEqual([
        model,
        200,
        true,
        path,
        upstream,
      ]);
    }
    const audit = await tenkey.sysadmin('get', `/audit-events?tenant_id=${sundsvall}&action=credential.set`);
    expect(audit.body.items).toHaveLength(5);
    for (const { actor, details } of audit.body.items)
      expect([actor, details.origin]).toEqual(['cli', 'import-litellm']);
  });

  it('replaces only with --replace, and reports an address that the policy refuses', async () => {
    const words = [`${fixtures}/local.yaml`, '--out', at('local.yml'), '--tenants', `sundsvall,harnosand`];
    const env = { ...local(), LOCAL_KEY_2: 'fake-local-key-2222', EGRESS_ALLOW: undefined };
    const { code, stdout } = await run(env, ...words, '--replace', '--yes', '--json');
    const report = JSON.parse(stdout);
    expect([code, report.faults]).toEqual([1, 3]);
    for (const finding of report.findings) {
      expect(finding.reason).toMatch(
        /^no credential for (vllm|azure|openai_compatible): The endpoint is not allowed/,
      );
      expect(finding.line).toBeGreaterThan(1);
    }
    expect(
      report.tenants.map(({ provider, tenant, result }: Record<string, string>) => [
        provider,
        tenant,
        result,
      ]),
    ).toEqual([
      ['qwen', 'sundsvall', 'set'],
      ['qwen', 'harnosand', 'set'],
      // What is the same already is not set again, so that no version and no rollback is lost.
      ['gpt_4o_mini', 'sundsvall', 'has ...0005'],
      ['gpt_4o_mini', 'harnosand', 'set'],
    ]);
    await tenkey.chat(sundsvall, { model: 'qwen' });
    expect(servers.requests.at(-1)?.key === 'fake-local-key-2222').toBe(true);
  });

  it('refuses before it changes anything', async () => {
    writeFileSync(at('other.yml'), 'something else');
    writeFileSync(at('broken.yaml'), 'model_list: [\n');
    writeFileSync(at('none.yaml'), 'model_list: []\n');
    const file = `${fixtures}/local.yaml`;
    const store = (out: string, tenants = 'harnosand') => [
      file,
      '--out',
      at(out),
      '--tenants',
      tenants,
      '--yes',
    ];
    for (const [env, words, code, text] of [
      [{}, store('new.yml', 'harnosand,fake-key-0001'), 1, 'at position 2 of --tenants'],
      [
        { ENCRYPTION_KEY: undefined, TENANT_CREDENTIALS_ENABLED: 'false' },
        store('new.yml'),
        1,
        'ENCRYPTION_KEY is not set',
      ],
      [{ ENCRYPTION_KEY: generateKey() }, store('new.yml'), 1, 'ENCRYPTION_KEY may be the wrong one'],
      [
        { DATABASE_URL: 'postgresql://tenkey@127.0.0.1:1/tenkey' },
        store('new.yml'),
        3,
        'the database is unavailable',
      ],
      [{}, store('other.yml'), 1, 'exists and is not overwritten'],
      [{}, [file, '--out', at('no-folder/new.yml')], 1, 'cannot be written (ENOENT)'],
      [{}, [at('broken.yaml'), '--out', at('new.yml')], 1, ''],
      [{}, [at('none.yaml'), '--out', at('new.yml')], 1, ''],
      [{}, [at('missing.yaml'), '--out', at('new.yml')], 1, ''],
      [{}, [file, '--out', file], 2, 'must be different ones'],
      [{}, [file, '--yes'], 2, 'need --tenants'],
      [{}, [file, '--tenants', 'a,', '--yes'], 2, 'a list such as a,b'],
      [{}, [file, '--tenants', 'a', '--env-out', at('new.env')], 2, 'either --env-out or --tenants'],
      [{}, [''], 2, 'the name of a file is empty'],
      [{}, [], 2, 'missing required argument'],
    ] as const) {
      const result = await run({ ...local(), ...env }, ...words);
      expect([words, result.code, result.stderr]).toEqual([words, code, expect.stringContaining(text)]);
      expect(() => statSync(at('new.yml'))).toThrow('ENOENT');
    }
    expect(readFileSync(at('other.yml'), 'utf8')).toBe('something else');
    const { stdout } = await run({}, at('broken.yaml'), '--out', at('new.yml'));
    expect(stdout).toMatch(/broken.yaml:2: .*\nNo catalogue was made. 1 fault, 0 warnings\n$/);
  });
});
