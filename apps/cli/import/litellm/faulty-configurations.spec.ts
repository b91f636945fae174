import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planOf } from './plan';

const folder = mkdtempSync(join(tmpdir(), 'litellm-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Env = Record<string, string>;

const azure = 'api_base: https://a.openai.azure.com, api_version: 2024-10-21, api_key: fake-azure-key';
const oneModel = (params: string) =>
  `model_list:\n  - model_name: m\n    litellm_params: { ${params} }\n    model_info: { mode: chat }\n`;

describe('what is wrong with a configuration of LiteLLM', () => {
  const rows: [string, Env, string][] = [
    [
      oneModel('model: openai/x'),
      {},
      'config.yaml:2 no credential for openai: api_key is missing, and LiteLLM then needs the variable OPENAI_API_KEY, which is not set; set it for this command, or in .env',
    ],
    [
      oneModel('model: openai/x, api_key: os.environ/KEY_A'),
      { KEY_A: ' ' },
      'config.yaml:3 no credential for openai: api_key needs the variable KEY_A, which is not set; set it for this command, or in .env',
    ],
    [
      oneModel('model: openai/x, api_key: "${KEY_A}${KEY_B}"'),
      { KEY_B: 'b' },
      'config.yaml:3 no credential for openai: api_key needs the variable KEY_A, which is not set; set it for this command, or in .env',
    ],
    [
      oneModel('model: openai/x, api_key: os.environ/ENCRYPTION_KEY'),
      { ENCRYPTION_KEY: 'fake-encryption-key' },
      'config.yaml:3 no credential for openai: api_key names ENCRYPTION_KEY, a secret of Tenkey itself, which no provider may receive',
    ],
    [
      oneModel('model: openai/x, api_key: "os.environ/not a name"'),
      {},
      'config.yaml:3 no credential for openai: api_key has os.environ/ or ${...} without the name of a variable',
    ],
    [
      oneModel('model: openai/x, api_key: 12345678'),
      {},
      'config.yaml:3 no credential for openai: api_key must be a text; quote it',
    ],
    [oneModel('model: gemini-2.5-flash'), {}, 'config.yaml:3 m: model without a prefix means vertex_ai/'],
    [
      oneModel('model: vllm/x'),
      {},
      'config.yaml:3 m: model has the prefix vllm/, which means a model inside the process of LiteLLM',
    ],
    [
      oneModel('model: openai/'),
      {},
      'config.yaml:3 m: model has no model after the provider. The model is not carried over',
    ],
    [
      oneModel('model: groq/x, organization: org-1, api_key: fake-key-1'),
      {},
      'config.yaml:3 m: organization has no counterpart for Groq',
    ],
    [
      oneModel('model: openai/x, api_base: "http://x.example/v1?key=fake-key-1"'),
      {},
      'config.yaml:3 m: api_base must not contain a query. The model is not carried over',
    ],
    [
      oneModel('model: openai/x, api_base: here'),
      {},
      'config.yaml:3 m: api_base must be an http or https URL. The model is not carried over',
    ],
    [oneModel('model: openai/x, api_base: [a]'), {}, 'config.yaml:3 m: api_base is a list'],
    [
      oneModel(`model: azure/other, ${azure.replace('.com,', '.com/openai/deployments/dep,')}`),
      {},
      'config.yaml:3 m: api_base names another deployment than model',
    ],
    [
      'model_list:\n  - model_name: 4\n    litellm_params: { model: openai/x }',
      {},
      'config.yaml:2 model_name must be a text of 1 to 256 printable characters',
    ],
    [
      'model_list:\n  - model_name: "a\\u001bb"\n    litellm_params: { model: openai/x }',
      {},
      'config.yaml:2 model_name must be a text of 1 to 256',
    ],
    [
      'model_list:\n  - model_name: a\n    litellm_params:',
      {},
      'config.yaml:2 a: litellm_params must be a map with a model. The model is not carried over',
    ],
    [
      'model_list:\n  - model_name: a\n    litellm_params: [x]',
      {},
      'config.yaml:2 a: litellm_params must be a map with a model. The model is not carried over',
    ],
    [
      'model_list:\n  - model_name: a\n    litellm_params: { api_key: fake-key-1 }',
      {},
      'config.yaml:2 a: litellm_params needs a model, which is a text. The model is not carried over',
    ],
    ['model_list:\n  - a', {}, 'config.yaml:2 a model must be a map with model_name and litellm_params'],
    ['model_list: fake-key-1', {}, 'config.yaml:1 model_list must be a list of models'],
    ['model_list: {}', {}, 'config.yaml:1 there is no model_list with models'],
    ['model_list: []', {}, 'config.yaml:1 there is no model_list with models'],
    ['model_list: { a: 1 }', {}, 'config.yaml:1 model_list must be a list of models'],
    ['model_list:', {}, 'config.yaml:1 there is no model_list with models, so there is nothing to import'],
    [
      'general_settings: { store_model_in_db: true }',
      {},
      'config.yaml:1 general_settings.store_model_in_db is not carried over: models that LiteLLM keeps in its database',
    ],
    [
      'credential_list: fake-key-1',
      {},
      'config.yaml:1 an entry of credential_list must be a map with credential_name and credential_values',
    ],
    [
      'environment_variables: [a]',
      {},
      'config.yaml:1 environment_variables must be a map of names and values',
    ],
    [
      'router_settings: on',
      {},
      'config.yaml:1 router_settings is not carried over: Tenkey calls one deployment',
    ],
    [
      '"sk-fake key": { a: 1 }',
      {},
      'config.yaml:1 (not a name).a is not carried over: Tenkey has nothing that corresponds to it',
    ],
    [
      oneModel('model: openai/x').replace('{ mode: chat }', 'chat'),
      {},
      'config.yaml:4 m: model_info is not carried over: it must be a map',
    ],
    [
      'router_settings: { model_group_alias: a }',
      {},
      'config.yaml:1 model_group_alias is not carried over: it must be a map',
    ],
    ['include: 5', {}, 'config.yaml:1 include must be a list of file names'],
    [
      'include: [none.yaml]',
      {},
      'none.yaml: the configuration file cannot be read (ENOENT). Give a readable file.',
    ],
    ['', {}, 'config.yaml:1 a configuration of LiteLLM is a map with a model_list'],
    ['- a', {}, 'config.yaml:1 a configuration of LiteLLM is a map with a model_list'],
    ['a: [', {}, 'config.yaml:1 the indentation does not fit the lines above'],
    ['a: 1\na: 2', {}, 'config.yaml:2 this field occurs twice in one map'],
    ['a: 1\nb: *x', {}, 'config.yaml:2 this alias (*) has no anchor (&) above it'],
    ['a: 1\nb: !secret KEY', {}, 'config.yaml:2 this tag (!) is not known'],
    ['a: 1\n---\nb: 2', {}, 'config.yaml:2 a second document starts here'],
    [`a: ${'['.repeat(20_000)}`, {}, 'config.yaml:1 the file is nested too deeply'],
    ['#'.repeat(10_000_000), {}, 'config.yaml: the configuration file is larger than 2048 KiB'],
  ];
  // Some texts are too long for the name of a test.
  it.each(rows.map(([text, env, expected]) => [expected, text, env] as const))(
    '%s',
    (expected, text, env) => {
      writeFileSync(join(folder, 'config.yaml'), text);
      const findings = planOf(join(folder, 'config.yaml'), env, false).findings.map(
        ({ file, line, reason }) => `${file.replace(`${folder}/`, '')}:${line ?? ''} ${reason}`,
      );
      expect(findings).toContainEqual(expect.stringContaining(expected));
      expect(findings.filter((finding) => finding.includes('fake'))).toEqual([]);
    },
  );
});
