import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkCatalogue, warningsOf } from './catalogue-check';
import { describeFinding } from './catalogue-finding';
import { ModelCatalogue } from './model-catalogue';

describe('checkCatalogue', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenkey-check-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function check(content: string | Buffer): { models: string[]; faults: string[]; warnings: string[] } {
    const file = join(folder, 'models.yml');
    writeFileSync(file, content);
    const { models, findings } = checkCatalogue(file);
    const of = (severity: string) =>
      findings
        .filter((finding) => finding.severity === severity)
        .map((finding) => describeFinding(finding).replace(file, 'models.yml'));
    return { models: models.map(({ name }) => name), faults: of('fault'), warnings: of('warning') };
  }

  it('accepts a file in the format of Eneo unchanged', () => {
    const file = join(__dirname, '../../../test/fixtures/ai_models-as-in-eneo.yml');
    const { models, findings } = checkCatalogue(file);
    expect(models).toHaveLength(10);
    expect(findings.map(({ line, severity, reason }) => [line, severity, reason])).toEqual([
      [
        83,
        'warning',
        'harbour-e5: no provider serves this family, so calls are refused; add litellm_model_name',
      ],
    ]);
    const catalogue = ModelCatalogue.load(file);
    expect(catalogue.find('town-gpt-azure').deployment_name).toBe('town-gpt');
    expect(catalogue.find('harbour-e5-hosted').kind).toBe('embedding');
    expect(warningsOf(catalogue)).toHaveLength(1);
  });

  it.each([
    ['- name: a\n  family: opnai', 'models.yml:2: a: no provider serves this family', 'did you mean openai?'],
    [
      'moderation_models:\n- name: a\n  litellm_model_name: anthropic/x',
      'models.yml:3: a: Anthropic serves no moderation models',
      'so calls are refused',
    ],
    ['embedding_models:\n- name: a\n  family: claude', 'models.yml:3: a: Anthropic serves no embedding', ''],
    [
      '- name: a\n  litellm_model_name: openai/*',
      'models.yml:2: a: litellm_model_name has a *, which is no wildcard here',
      'add an entry for each model',
    ],
    [
      '- name: a\n  litellm_model_name: claude-3-5-sonnet',
      'models.yml:2: a: litellm_model_name has no prefix, so calls go to OpenAI',
      'for Anthropic, write anthropic/ before it',
    ],
    [
      '- name: a\n  family: vllm\n  litellm_model_name: gemma',
      'models.yml:3: a: litellm_model_name has no prefix, so calls go to OpenAI',
      'for vLLM, write hosted_vllm/ before it',
    ],
    [
      '- name: a\n  litellm_model_name: azure/responses/o3',
      "models.yml:2: a: litellm_model_name has responses/, which switches LiteLLM to another API and is part of the model's name here",
      'leave it out',
    ],
    [
      '- name: a\n  litellm_model_name: azure/gpt5_series/own',
      'models.yml:2: a: litellm_model_name has gpt5_series/',
      'leave it out',
    ],
    ['- name: a\n  litellm_model_name: vllm/x', 'models.yml:2: a: LiteLLM has deprecated', 'hosted_vllm/'],
    [
      '- name: a\n  litellm_model_name: hosted_vllm/x\n  base_url: http://vllm',
      'models.yml:3: a: base_url is ignored when there is a litellm_model_name',
      'credential',
    ],
    [
      '- name: a\n  family: azure\n- name: b\n  family: azure',
      'models.yml:3: a, b share the deployment_name of the Azure OpenAI credential, unless its `deployments`',
      'give each a deployment_name',
    ],
    [
      '- name: a\n  litellm_model_name: azure/x\n- name: b\n  family: azure',
      'models.yml:3: a, b share the deployment_name',
      'give each a deployment_name',
    ],
    [
      '- { name: a, litellm_model_name: azure/x, deployment_name: d }\n- { name: b, litellm_model_name: azure/y, deployment_name: d }',
      'models.yml:2: a, b have the same deployment_name',
      'one model answers for all of them',
    ],
    [
      '- name: a\n  litellm_model_name: azure/x\n  deployment_name: a b',
      'models.yml:3: a: deployment_name is not a valid name of a deployment',
      'calls are refused',
    ],
    ['- name: a\n  family: openai\n  token_limit: many', 'models.yml:3: a: token_limit must be a whole', ''],
    ['- name: a\n  family: openai\n  max_input: 0', 'models.yml:3: a: max_input must be a whole number', ''],
    ['- name: a\n  family: openai\n  vision: "yes"', 'models.yml:3: a: vision must be true or false', ''],
    ['- name: a\n  family: openai\n  org: 7', 'models.yml:3: a: org must be a text', ''],
    ['- name: a\n  family: openai\n  tokenLimit: 7', 'models.yml:3: a: unknown field', 'mean token_limit?'],
    [
      '- name: a\n  family: azure\n  litellm-model-name: x',
      'models.yml:3: a: unknown',
      'litellm_model_name?',
    ],
    ['- name: a\n  family: openai\n  one: 1\n  two: 2', 'models.yml:3: a: unknown field one, two', ''],
    ['- name: a\n  family: openai\n  kind: x', 'models.yml:3: a: unknown field kind', ''],
    ['- name: a\n  family: !mine openai', 'models.yml:2: this tag (!) is not known', ''],
    [
      'completion_model: []\nembedding_models:\n- { name: a, family: openai }',
      'models.yml:1: completion_model is not a section and is ignored',
      'did you mean completion_models?',
    ],
  ])('warns of %j', (text, expected, alsoExpected) => {
    const { models, faults, warnings } = check(text);
    expect(faults).toEqual([]);
    expect(models).toContain('a');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(expected);
    expect(warnings[0]).toContain(alsoExpected);
  });

  describe('of declared providers', () => {
    const model = 'completion_models: [{ name: a, litellm_model_name: gdm/x }]\n';
    const declaring = (declaration: string) => check(`${model}providers:\n- ${declaration}\n`);

    it('accepts each kind, above or below the models, with and without label and endpoint', () => {
      for (const declaration of [
        '{ id: gdm, kind: openai_compatible, label: GDM, endpoint: "https://gdm.example/v1" }',
        '{ id: gdm, kind: vllm }',
        '{ id: gdm, kind: azure, label: ~, endpoint: null }',
      ]) {
        expect(declaring(declaration)).toEqual({ models: ['a'], faults: [], warnings: [] });
        expect(check(`providers: [${declaration}]\n${model}`).faults).toEqual([]);
      }
      expect(check(`providers:\n${model}`)).toEqual({ models: ['a'], faults: [], warnings: [] });
    });

    it.each([
      ['{ id: openai, kind: vllm }', 'models.yml:3: openai: this id is taken by a provider'],
      ['{ id: hosted_vllm, kind: vllm }', 'models.yml:3: hosted_vllm: this id is taken by a provider'],
      ['{ id: platform, kind: vllm }', 'its variable PLATFORM_API_KEY has another meaning'],
      ['{ id: gdm, kind: vllm }\n- { id: gdm, kind: azure }', 'models.yml:4: gdm: this id is declared twice'],
      ['{ id: my-llm, kind: vllm }\n- { id: my_llm, kind: vllm }', 'its variable MY_LLM_API_KEY has another'],
      ['{ kind: vllm }', 'models.yml:3: the id of a provider must be at most 40 lower-case letters'],
      ['{ id: GDM, kind: vllm }', 'models.yml:3: the id of a provider must be at most 40 lower-case letters'],
      ['{ id: gdm }', 'models.yml:3: gdm: kind must be one of openai_compatible, vllm, azure'],
      ['{ id: gdm, kind: openai-compatible }', 'did you mean openai_compatible?'],
      ['{ id: gdm, kind: mistral }', 'models.yml:3: gdm: kind must be one of'],
      ['{ id: gdm, kind: vllm, label: 7 }', 'models.yml:3: gdm: label must be a text of 1 to 100'],
      ['{ id: gdm, kind: vllm, label: "" }', 'models.yml:3: gdm: label must be a text of 1 to 100'],
      [
        '{ id: gdm, kind: vllm, endpoint: gdm.example }',
        'models.yml:3: gdm: endpoint must be an http or https URL',
      ],
      ['{ id: gdm, kind: vllm, endpoint: "https://u:p@a.b" }', 'gdm: endpoint must not contain a user name'],
      ['gdm', 'models.yml:3: a provider must be a map of fields'],
    ])('refuses %s, and only for its own fault', (declaration, expected) => {
      const { faults } = declaring(declaration);
      expect(faults).toEqual([expect.stringContaining(expected)]);
    });

    it('refuses a section that is not a list, and warns of unknown fields', () => {
      expect(check(`${model}providers: { gdm: vllm }\n`).faults).toEqual([
        'models.yml:2: providers must be a list of providers',
      ]);
      expect(declaring('{ id: gdm, kind: vllm, endpont: "https://a.b" }').warnings).toEqual([
        'models.yml:3: gdm: unknown field endpont; did you mean endpoint?',
      ]);
    });

    it('says how to declare a prefix that nothing knows', () => {
      const { faults } = check('- { name: a, litellm_model_name: nobody-knows/x }');
      expect(faults).toEqual([
        expect.stringMatching(
          /unknown provider prefix.*for your own server, declare the prefix: `providers: \[\{ id: the-prefix, kind: /,
        ),
      ]);
      expect(faults.join()).not.toContain('nobody-knows');
    });

    it('warns of undeclared prefixes that share one credential, until they are declared', () => {
      const models = (names: readonly string[]) =>
        names.map((name, index) => `- { name: m${index}, litellm_model_name: ${name}/x }\n`).join('');
      expect(check(models(['gdm', 'gdm', 'klang', 'infinity'])).warnings).toEqual([
        expect.stringMatching(
          /^models\.yml:3: gdm\/, klang\/, infinity\/ share the OpenAI-compatible server credential/,
        ),
      ]);
      expect(check(models(['openai_compatible', 'gdm'])).warnings).toHaveLength(1);
      expect(check(models(['gdm', 'gdm'])).warnings).toEqual([]);
      expect(check(models(['openai_compatible', 'custom_openai'])).warnings).toEqual([]);
      const declared = `providers: [{ id: gdm, kind: vllm }]\ncompletion_models:\n${models(['gdm', 'klang'])}`;
      expect(check(declared).warnings).toEqual([]);
    });
  });

  it('does not warn of anchors, nulls, or two models with the same upstream model', () => {
    const text = [
      'x-defaults: &defaults { hosting: swe, vision: null }',
      'completion_models:',
      '- { <<: *defaults, name: a, litellm_model_name: azure/gpt }',
      '- { <<: *defaults, name: b, litellm_model_name: azure/gpt, base_url: null, token_limit: ~ }',
      '- { name: c, family: azure, deployment_name: one }',
      '- { name: d, family: azure, deployment_name: two }',
      '- { name: e, litellm_model_name: azure/mini, deployment_name: three }',
      'embedding_models:',
      '- { name: f, litellm_model_name: azure/embedding }',
      'speech_models:',
    ].join('\n');
    expect(check(text)).toEqual({ models: ['a', 'b', 'c', 'd', 'e', 'f'], faults: [], warnings: [] });
  });

  it('takes the family gemini for the provider, and does not warn of names that say what they are', () => {
    const text = [
      '- { name: a, family: gemini }',
      '- { name: b, family: openai, litellm_model_name: gpt-4o }',
      '- { name: c, litellm_model_name: openrouter/anthropic/claude-sonnet-4.5 }',
      '- { name: d, family: e5, litellm_model_name: text-embedding-3-small }',
    ].join('\n');
    expect(check(text)).toEqual({ models: ['a', 'b', 'c', 'd'], faults: [], warnings: [] });
  });

  it('reports warnings together with faults, by line', () => {
    const { models, faults, warnings } = check(
      '- name: a\n  family: e5\n- name: b\n- name: a\n  family: x\n',
    );
    expect(models).toEqual(['a']);
    expect(faults).toEqual([
      'models.yml:3: b: a model without litellm_model_name needs a family',
      'models.yml:4: a: the name a occurs twice; it is already on line 1',
    ]);
    expect(warnings).toHaveLength(1);
  });

  it('reads files with a byte order mark and Windows line ends, and counts the lines correctly', () => {
    expect(check('\uFEFF- name: a\r\n  family: openai\r\n').models).toEqual(['a']);
    expect(check('\uFEFF- name: a\r\n- name: b\r\n').faults[1]).toContain('models.yml:2: b:');
  });

  it.each([
    [
      Buffer.from('- name: a\n  org: caf\xe9\n', 'latin1'),
      'models.yml:2: this line is not UTF-8; save the file as UTF-8',
    ],
    [Buffer.from('\uFEFF- name: a', 'utf16le'), 'models.yml:1: the model file is UTF-16; save it as UTF-8'],
    [Buffer.alloc(512 * 1024 + 1, '#'), 'models.yml: the model file is larger than 512 KiB'],
  ])('refuses a file that is not UTF-8 or too large: %#', (content, expected) => {
    expect(check(content).faults).toEqual([expected]);
  });

  it('refuses a missing file and a directory', () => {
    const faultsOf = (file: string) => checkCatalogue(file).findings.map(describeFinding);
    expect(faultsOf('/nowhere/models.yml')).toEqual([
      '/nowhere/models.yml: the model file cannot be read (ENOENT). Set AI_MODELS_FILE to a readable file.',
    ]);
    expect(faultsOf(folder)).toEqual([`${folder}: this is not a file. Set AI_MODELS_FILE to a model file.`]);
  });

  it('does not repeat values of the file in a fault', () => {
    const sentinel = 'sk-sentinel-value';
    const texts = [
      `- name: a\n  litellm_model_name: ${sentinel}/x\n  family: [${sentinel}]\n  base_url: ${sentinel}`,
      `- name: a\n  family: "${sentinel}\n`,
      `- name: a\n  family: *${sentinel}`,
      `- name: a\n  family: "\\q${sentinel}"`,
      `%${sentinel}\n---\n- name: a`,
      `- name: a\n  family: !!${sentinel} x`,
      `- ${sentinel}`,
      `${sentinel}\n${sentinel}: [`,
      `- name: a\n  deployment_name: { x: ${sentinel} }\n  family: x\n  family: ${sentinel}`,
    ];
    for (const text of texts) expect(check(text).faults.join('\n')).not.toContain(sentinel);
  });
});
