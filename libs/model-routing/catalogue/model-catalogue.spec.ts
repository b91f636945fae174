import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixedProviders, ProviderRegistry } from '#providers';
import { CatalogueError } from './catalogue-finding';
import { ModelCatalogue } from './model-catalogue';
import { providerOfModel, splitLitellmName } from './model';

function faultOf(text: string): string {
  try {
    ModelCatalogue.parse(text, 'models.yml');
  } catch (error) {
    if (error instanceof CatalogueError) return error.message;
    throw error;
  }
  return '';
}

/** Ten lists, each with nine copies of the previous one. */
function bomb(): string {
  const lines = ['a0: &a0 [x]'];
  for (let level = 1; level < 10; level += 1) {
    lines.push(
      `a${level}: &a${level} [${Array(9)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  }
  return lines.join('\n');
}

describe('ModelCatalogue', () => {
  it.each([
    [
      'completion_models:\n  - name: a\n    family: openai\n  - name: a\n    family: openai',
      'models.yml:4: a: the name a occurs twice; it is already on line 2',
    ],
    ['completion_models:\n  - family: openai', 'models.yml:2: a model needs a name'],
    ['completion_models:\n  - family: openai\n    name: 4', 'models.yml:3: name must be a text; quote it'],
    ['- family: openai\n  name: " a"', 'models.yml:2: a: a name has 1 to 256 printable'],
    ['- family: openai\n  name: "a\\e[2Jb"', 'models.yml:2: a[2Jb: a name has 1 to 256 printable'],
    [
      '- name: a\n  family: openai\n  litellm_model_name: nobody/x',
      'models.yml:3: a: litellm_model_name has an unknown provider prefix; the known ones are openai, text-completion-openai, anthropic',
    ],
    ['- name: a\n  litellm_model_name: Azure/x', '; did you mean azure?'],
    ['- name: a\n  litellm_model_name: mistrl/x', '; did you mean mistral?'],
    ['- name: a\n  litellm_model_name: azure/', 'models.yml:2: a: litellm_model_name has no model after'],
    ['- name: a\n  litellm_model_name: ""', 'models.yml:2: a: litellm_model_name must be a text'],
    ['- name: a\n  litellm_model_name: 5', 'models.yml:2: a: litellm_model_name must be a text'],
    ['- name: a\n  litellm_model_name: "azure/x "', 'models.yml:2: a: litellm_model_name must be a text'],
    ['completion_models:\n  - name: a', 'models.yml:2: a: a model without litellm_model_name needs a family'],
    ['- name: a\n  family: [openai]', 'models.yml:2: a: family must be a text'],
    ['- name: a\n  family: azure\n  deployment_name: 35', 'models.yml:3: a: deployment_name must be a text'],
    ['- name: a\n  family: vllm\n  base_url: nowhere', 'models.yml:3: a: base_url must be a URL'],
    ['- name: a\n  family: vllm\n  base_url: file:///etc/passwd', 'models.yml:3: a: base_url must be a URL'],
    ['x-a: 1\ncompletion_models: text', 'models.yml:2: completion_models must be a list of models'],
    ['completion_models:\n  - just a text', 'models.yml:2: a model must be a map of fields'],
    ['completion_models:\n  - [a]', 'models.yml:2: a model must be a map of fields'],
    ['completion_models:\n  -', 'models.yml:2: a model must be a map of fields'],
    ['just a text', 'models.yml:1: a model file is a list of models, or a map with completion_models'],
    ['completion_models: [', 'models.yml:'],
    ['completion_models:\n  - name: "a', 'models.yml:2: a character is missing: a closing quote'],
    ['a: 1\ncompletion_models: []\na: 2', 'models.yml:3: this field occurs twice in one map'],
    ['- name: a\n  family: x\n  name: b', 'models.yml:3: this field occurs twice in one map'],
    ['completion_models:\n\t- name: a', 'models.yml:2: a tab cannot indent YAML; use spaces'],
    ['- name: a\n  family: x\n---\n- name: b', 'models.yml:3: a second document starts here'],
    ['- name: a\n  family: *x', 'models.yml:2: this alias (*) has no anchor (&) above it'],
    ['- name: a\n  description: OpenAI: the best', 'models.yml:2: a map cannot start here'],
    ['- name: @a', 'models.yml:1: a text cannot start with this character; quote it'],
    ['- name: a\n   family: x', 'models.yml:1: a map cannot start here; is the indentation'],
    ['', 'models.yml:1: the file has no models'],
    ['# nothing\n', 'the file has no models'],
    ['completion_models:\nembedding_models: []', 'the file has no models'],
  ])('refuses %j with file, line and reason', (text, expected) => {
    expect(faultOf(text)).toContain(expected);
  });

  it('survives deep nesting and aliases that multiply', () => {
    expect(faultOf('['.repeat(50_000))).toBe('models.yml:1: the file is nested too deeply');
    expect(faultOf(bomb())).toContain('models.yml:2: aliases (*) repeat more than 1000 parts of the file');
    const many = Array.from({ length: 300 }, (_, index) => `- { <<: *all, name: m${index} }`).join('\n');
    const text = `x-all: &all { family: openai, org: Town }\ncompletion_models:\n${many}`;
    expect(ModelCatalogue.parse(text, 'models.yml').find('m299').org).toBe('Town');
    const self = ModelCatalogue.parse('- { name: a, family: openai, notes: &n [*n] }', 'models.yml');
    expect(Object.isFrozen(self.find('a').notes)).toBe(true);
  });

  it('reports every fault at once, and a missing file', () => {
    expect(faultOf('completion_models:\n  - name: a\n  - family: x').split('\n')).toHaveLength(2);
    const text = '- name: 5\n  litellm_model_name: nobody/x\n  base_url: nowhere\n  family: 7\n- other';
    expect(faultOf(text).match(/^models\.yml:\d+/gm)).toEqual([
      'models.yml:1',
      'models.yml:2',
      'models.yml:3',
      'models.yml:4',
      'models.yml:5',
    ]);
    expect(() => ModelCatalogue.load('/nowhere/models.yml')).toThrow('Set AI_MODELS_FILE');
  });

  it('reads sections and a bare list, and keeps fields that it does not use', () => {
    const catalogue = ModelCatalogue.parse(
      [
        'completion_models: [{ name: a, family: openai, nickname: A }]',
        'embedding_models: [{ name: b, litellm_model_name: text-embedding-3-small }]',
        'transcription_models: [{ name: c, family: openai }]',
      ].join('\n'),
      'models.yml',
    );
    expect(catalogue.all().map(({ name, kind }) => [name, kind])).toEqual([
      ['a', 'completion'],
      ['b', 'embedding'],
      ['c', 'transcription'],
    ]);
    expect(catalogue.find('a').nickname).toBe('A');
    expect(() => catalogue.find('constructor')).toThrow(expect.objectContaining({ code: 'model_not_found' }));
    const bare = ModelCatalogue.parse('- { name: a, family: openai }', 'models.yml');
    expect(bare.find('a').kind).toBe('completion');
  });

  it('keeps an unknown field and warns of it with its line', () => {
    const text = 'completion_models:\n  - name: a\n    family: openai\n    hostng: eu';
    const catalogue = ModelCatalogue.parse(text, 'models.yml');
    expect(catalogue.findings).toEqual([
      {
        severity: 'warning',
        file: 'models.yml',
        line: 4,
        reason: 'a: unknown field hostng; did you mean hosting?',
      },
    ]);
    expect(catalogue.find('a').hostng).toBe('eu');
  });

  it('splits a litellm_model_name at its first slash, and takes the default provider without one', () => {
    const split = (name: string) => {
      const found = splitLitellmName(new ProviderRegistry(), name);
      return found && [found.provider.id, found.upstreamModel];
    };
    expect(split('gpt-4o')).toEqual(['openai', 'gpt-4o']);
    expect(split('berget/intfloat/multilingual-e5-large')).toEqual([
      'berget',
      'intfloat/multilingual-e5-large',
    ]);
    expect(split('hosted_vllm/a/b')).toEqual(['vllm', 'a/b']);
    expect(split('constructor/x')).toBeUndefined();
  });

  it('accepts a family that no provider serves', () => {
    const catalogue = ModelCatalogue.parse('embedding_models: [{ name: e, family: e5 }]', 'models.yml');
    expect(providerOfModel(catalogue.find('e'))).toBeUndefined();
  });

  it('ships a catalogue with a model of every provider, and none that strict mode refuses', () => {
    const file = join(__dirname, '../../../apps/api/ai_models.yml');
    const models = ModelCatalogue.parse(readFileSync(file, 'utf8'), file).all();
    const served = models
      .filter((model) => model.litellm_model_name)
      .map((model) => providerOfModel(model)?.provider.id);
    expect(new Set(served)).toEqual(new Set(fixedProviders.map(({ id }) => id)));
    expect(models.filter((model) => !model.litellm_model_name)).toEqual([]);
  });
});
