import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { providers } from '#providers';
import { CatalogueError, ModelCatalogue, providerOfModel, splitLitellmName } from './model-catalogue';

function faultOf(text: string): string {
  try {
    ModelCatalogue.parse(text, 'models.yml');
  } catch (error) {
    if (error instanceof CatalogueError) return error.message;
    throw error;
  }
  return '';
}

describe('ModelCatalogue', () => {
  it.each([
    [
      'completion_models:\n  - name: a\n    family: openai\n  - name: a\n    family: openai',
      'models.yml:4: the name a',
    ],
    ['completion_models:\n  - family: openai', 'models.yml:2: a model needs a name'],
    [
      'completion_models:\n  - name: a\n    litellm_model_name: nobody/x',
      'models.yml:2: a: litellm_model_name',
    ],
    [
      'completion_models:\n  - name: a\n    litellm_model_name: azure/',
      'models.yml:2: a: litellm_model_name',
    ],
    ['completion_models:\n  - name: a', 'needs a family'],
    ['completion_models:\n  - name: a\n    family: vllm\n    base_url: nowhere', 'base_url must be a URL'],
    ['completion_models: text', 'must be a map of fields'],
    ['completion_models:\n  - just a text', 'must be a map of fields'],
    ['completion_models: [', 'models.yml:'],
    ['', 'there is no model in the file'],
  ])('refuses %j with file, line and reason', (text, expected) => {
    expect(faultOf(text)).toContain(expected);
  });

  it('names every fault at once, and a file that is not there', () => {
    expect(faultOf('completion_models:\n  - name: a\n  - family: x').split('\n')).toHaveLength(2);
    expect(() => ModelCatalogue.load('/nowhere/models.yml')).toThrow('Set AI_MODELS_FILE');
  });

  it('reads the three kinds and a bare list, and keeps unknown fields', () => {
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

  it('keeps an unknown field and warns of it by line', () => {
    const text = 'completion_models:\n  - name: a\n    family: openai\n    hostng: eu';
    const catalogue = ModelCatalogue.parse(text, 'models.yml');
    expect(catalogue.warnings).toEqual(['models.yml:2: a: unknown field hostng']);
    expect(catalogue.find('a').hostng).toBe('eu');
  });

  it('splits a litellm_model_name at its first slash; without one the default provider is meant', () => {
    const split = (name: string) => {
      const found = splitLitellmName(name);
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

  it('keeps a family without a provider, which then serves nobody', () => {
    const catalogue = ModelCatalogue.parse('embedding_models: [{ name: e, family: e5 }]', 'models.yml');
    expect(providerOfModel(catalogue.find('e'))).toBeUndefined();
  });

  it('ships a catalogue with a model of every provider and one legacy model', () => {
    const file = join(__dirname, '../../apps/api/ai_models.yml');
    const models = ModelCatalogue.parse(readFileSync(file, 'utf8'), file).all();
    const served = models
      .filter((model) => model.litellm_model_name)
      .map((model) => providerOfModel(model)?.provider.id);
    expect(new Set(served)).toEqual(new Set(providers.map(({ id }) => id)));
    expect(models.some((model) => !model.litellm_model_name)).toBe(true);
  });
});
