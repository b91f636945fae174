import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { checkCatalogueText } from '#model-routing';
import { planOf } from './plan';

const folder = mkdtempSync(join(tmpdir(), 'litellm-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Env = Record<string, string>;

function planText(text: string, env: Env = {}, keepDuplicates = false) {
  writeFileSync(join(folder, 'config.yaml'), text);
  return planOf(join(folder, 'config.yaml'), env, keepDuplicates);
}

/** A configuration with one model. */
const oneModel = (params: string, info = '{ mode: chat }') =>
  `model_list:\n  - model_name: m\n    litellm_params: { ${params} }\n    model_info: ${info}\n`;

const findingsOf = ({ findings }: ReturnType<typeof planOf>) =>
  findings.map(({ severity, file, line, reason }) => {
    const place = `${file.replace(`${folder}/`, '')}:${line ?? ''}`;
    return `${place} ${severity === 'warning' ? 'warning: ' : ''}${reason}`;
  });

/** The entries of the catalogue, by name, and its declared providers. */
function madeOf({ catalogue }: ReturnType<typeof planOf>): { models: object[]; providers: object[] } {
  expect(checkCatalogueText(catalogue ?? '', 'ai_models.yml').findings).toEqual([]);
  const { providers = [], ...sections } = parse(catalogue ?? '') as Record<string, object[]>;
  return { models: Object.values(sections).flat(), providers };
}

describe('the plan of an import from LiteLLM', () => {
  const azure = 'api_base: https://a.openai.azure.com, api_version: 2024-10-21, api_key: fake-azure-key';
  it.each([
    ['model: openai/gpt-4o, api_key: fake-key-1', 'openai/gpt-4o'],
    ['model: gpt-4o, api_key: fake-key-1', 'openai/gpt-4o'],
    ['model: ft:gpt-4o:org::id, api_key: fake-key-1', 'openai/ft:gpt-4o:org::id'],
    ['model: gpt-4o, custom_llm_provider: openai, api_key: fake-key-1', 'openai/gpt-4o'],
    ['model: openai/gpt-4o, custom_llm_provider: openai, api_key: fake-key-1', 'openai/gpt-4o'],
    ['model: text-completion-openai/davinci-002, api_key: fake-key-1', 'openai/davinci-002'],
    ['model: openai/gpt-4o, api_base: "https://api.openai.com/v1/", api_key: fake-key-1', 'openai/gpt-4o'],
    ['model: openai/gpt-4o, api_base: "https://eu.api.openai.com/v1", api_key: fake-key-1', 'openai/gpt-4o'],
    ['model: openai/x/y, api_base: "http://x.example/v1", api_key: k', 'openai_compatible/x/y'],
    ['model: openai/x, base_url: "http://x.example/v1", api_key: k', 'openai_compatible/x'],
    ['model: custom_openai/x, api_base: "http://x.example/v1", api_key: k', 'openai_compatible/x'],
    ['model: infinity/bge, api_base: "http://x.example", api_key: k', 'openai_compatible/bge'],
    ['model: hosted_vllm/org/x, api_base: "http://x.example", api_key: k', 'hosted_vllm/org/x'],
    ['model: claude-sonnet-4-5, api_key: fake-key-1', 'anthropic/claude-sonnet-4-5'],
    ['model: anthropic/c, api_base: "https://api.anthropic.com/v1", api_key: fake-key-1', 'anthropic/c'],
    ['model: cohere_chat/command-a, api_key: fake-key-1', 'cohere/command-a'],
    ['model: together_ai/org/x, api_key: fake-key-1', 'together/org/x'],
    ['model: gemini/gemini-2.5-flash, api_key: fake-key-1', 'gemini/gemini-2.5-flash'],
    ['model: openrouter/openai/gpt-4o, api_key: fake-key-1', 'openrouter/openai/gpt-4o'],
    ['model: os.environ/MODEL, api_key: fake-key-1', 'groq/llama'],
    ['model: "${PREFIX}/llama", api_key: fake-key-1', 'groq/llama'],
  ])('%s is %s', (params, name) => {
    const plan = planText(oneModel(params), { MODEL: 'groq/llama', PREFIX: 'groq' });
    expect(findingsOf(plan)).toEqual([]);
    expect(madeOf(plan)).toEqual({ models: [{ name: 'm', litellm_model_name: name }], providers: [] });
  });

  it.each([
    [`model: azure/dep, ${azure}`, 'dep', 0],
    [`model: azure/responses/dep, ${azure}`, 'dep', 1],
    [`model: azure/o_series/dep, ${azure}`, 'dep', 1],
    [`model: azure_text/dep, ${azure}`, 'dep', 0],
  ])('%s is the deployment %s', (params, deployment, warnings) => {
    const plan = planText(oneModel(params));
    expect(plan.findings.map(({ severity }) => severity)).toEqual(Array(warnings).fill('warning'));
    expect(madeOf(plan).models).toEqual([
      { name: 'm', litellm_model_name: `azure/${deployment}`, deployment_name: deployment },
    ]);
    expect(plan.credentials).toMatchObject([
      {
        providerId: 'azure',
        settings: {
          endpoint: 'https://a.openai.azure.com',
          api_version: '2024-10-21',
          deployment_name: 'dep',
        },
      },
    ]);
  });

  it.each([
    ['chat', 'completion_models'],
    ['completion', 'completion_models'],
    ['responses', 'completion_models'],
    ['embedding', 'embedding_models'],
    ['audio_transcription', 'transcription_models'],
    ['audio_speech', 'speech_models'],
    ['image_generation', 'image_models'],
    ['image_edit', 'image_models'],
    ['moderation', 'moderation_models'],
    ['rerank', 'rerank_models'],
  ])('the mode %s means %s', (mode, section) => {
    const { catalogue = '' } = planText(
      oneModel('model: openai/x, api_key: fake-key-1', `{ mode: ${mode} }`),
    );
    expect(Object.keys(parse(catalogue) as object)).toEqual([section]);
  });

  const two = (second: string) =>
    `model_list:
  - { model_name: a, litellm_params: { model: openai/x, api_key: fake-key-1 }, model_info: { mode: chat } }
  - { model_name: a, litellm_params: { ${second} }, model_info: { mode: chat } }
  - { model_name: a-2, litellm_params: { model: openai/z, api_key: fake-key-1 }, model_info: { mode: chat } }
`;

  it('keeps only the first entry of a name, and reports the others', () => {
    const plan = planText(two('model: openai/y, api_key: fake-key-2'));
    expect(findingsOf(plan)).toEqual([
      expect.stringMatching(
        /^config.yaml:3 a: this name is already on line 2, and only that entry is carried over/,
      ),
    ]);
    expect(madeOf(plan)).toMatchObject({ models: [{ name: 'a' }, { name: 'a-2' }], providers: [] });
    expect(plan.credentials).toHaveLength(1);
  });

  it('gives the others a name that no model has, with keepDuplicates', () => {
    const plan = planText(two('model: openai/y, api_key: fake-key-1'), {}, true);
    expect(findingsOf(plan)).toEqual([
      'config.yaml:3 warning: a: this name is already on line 2; this entry is carried over as a-3',
    ]);
    expect(madeOf(plan).models).toEqual([
      { name: 'a', litellm_model_name: 'openai/x' },
      { name: 'a-3', litellm_model_name: 'openai/y' },
      { name: 'a-2', litellm_model_name: 'openai/z' },
    ]);
  });

  it('lets a name to the first entry that is carried over', () => {
    const text = two('model: openai/y, api_key: fake-key-1').replace('openai/x', 'bedrock/x');
    expect(madeOf(planText(text)).models).toMatchObject([{ name: 'a', litellm_model_name: 'openai/y' }, {}]);
  });

  it('adds an entry for each other name of model_group_alias', () => {
    const aliases = '{ b: a, c: { model: a, hidden: true }, a: a-2, d: none }';
    const plan = planText(`${two('model: openai/y')}router_settings: { model_group_alias: ${aliases} }`);
    expect(madeOf(plan).models).toMatchObject([{ name: 'a' }, { name: 'a-2' }, { name: 'b' }, { name: 'c' }]);
    expect(findingsOf(plan)).toEqual([
      expect.stringContaining('config.yaml:3 a: this name'),
      'config.yaml:5 model_group_alias a is not carried over: a model has this name',
      'config.yaml:5 model_group_alias d is not carried over: the model that it means is not carried over',
    ]);
  });

  it('takes variables from the environment, and others from environment_variables', () => {
    const params = 'model: openai/x, api_key: "${A}-${B}-${C}-${D}"';
    const own = '{ A: a, B: b, C: os.environ/E, D: d }';
    const env = { A: 'A', D: 'd', E: 'e' };
    const plan = planText(`${oneModel(params)}environment_variables: ${own}\n`, env);
    expect(plan.credentials.map(({ key }) => key.secret?.expose())).toEqual(['A-b-e-d']);
    expect(findingsOf(plan)).toEqual([
      'config.yaml:5 warning: environment_variables.A has another value in the environment, and that one is used',
    ]);
  });

  it('reads what config.yaml includes, but not what that includes', () => {
    writeFileSync(
      join(folder, 'more.yaml'),
      `include: [other.yaml]\n${oneModel('model: groq/x, api_key: fake-1')}`,
    );
    const plan = planText(
      `include: [${join(folder, 'more.yaml')}]\n${oneModel('model: openai/x, api_key: fake-key-1')}`,
    );
    expect(findingsOf(plan)).toEqual([
      expect.stringMatching(/^more.yaml:3 m: this name is already in .*config.yaml:3, and only/),
      'more.yaml:1 include is not carried over: LiteLLM ignores it in a file that is itself included',
    ]);
  });

  it('declares a provider for each account and server after the first', () => {
    const entry = (name: string, params: string) =>
      `  - { model_name: ${name}, litellm_params: { ${params} }, model_info: { mode: chat } }\n`;
    const vllm = 'model: hosted_vllm/x, api_base: "http://a.example/v1"';
    const text = [
      'model_list:\n',
      entry('v-1', `${vllm}, api_key: os.environ/A`),
      entry('v-2', `${vllm.replace('/v1', '/v1/')}, api_key: os.environ/A`),
      entry('v-3', `${vllm}, api_key: os.environ/B`),
      entry('v-4', `${vllm.replace('a.example', 'b.example')}, api_key: os.environ/A`),
      entry('v 4', `${vllm.replace('a.example', 'c.example')}, api_key: os.environ/A`),
    ].join('');
    const plan = planText(text, { A: 'fake-a', B: 'fake-b' });
    expect(findingsOf(plan)).toEqual([]);
    const { models, providers } = madeOf(plan);
    expect(providers).toEqual([
      { id: 'v_3', kind: 'vllm', label: 'vLLM, a.example', endpoint: 'http://a.example/v1' },
      { id: 'v_4', kind: 'vllm', label: 'vLLM, b.example', endpoint: 'http://b.example/v1' },
      { id: 'v_4_2', kind: 'vllm', label: 'vLLM, c.example', endpoint: 'http://c.example/v1' },
    ]);
    expect(models.map((model) => (model as { litellm_model_name: string }).litellm_model_name)).toEqual([
      ...['hosted_vllm/x', 'hosted_vllm/x', 'v_3/x', 'v_4/x', 'v_4_2/x'],
    ]);
    expect(plan.credentials.map(({ providerId, key }) => [providerId, key.secret?.expose()])).toEqual([
      ...[
        ['vllm', 'fake-a'],
        ['v_3', 'fake-b'],
        ['v_4', 'fake-a'],
        ['v_4_2', 'fake-a'],
      ],
    ]);
  });
});
