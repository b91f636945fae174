import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { Problem } from '#http';
import { defaultProvider, type Provider, providerOfFamily, providerOfPrefix } from '#providers';

export type ModelKind = 'completion' | 'embedding' | 'transcription' | 'speech' | 'image' | 'moderation';

/** One entry of ai_models.yml. Fields that Tenkey does not use are kept as they are. */
export interface Model {
  readonly name: string;
  readonly kind: ModelKind;
  readonly family?: string;
  readonly litellm_model_name?: string;
  readonly base_url?: string;
  readonly deployment_name?: string;
  readonly [field: string]: unknown;
}

/** Faults of a catalogue file: file, line and reason of each. */
export class CatalogueError extends Error {
  override readonly name = 'CatalogueError';
}

/** Fields of ai_models.yml that are known; others are kept, and named in a warning since they may be slips. */
const knownFields = new Set(
  (
    'name nickname family litellm_model_name token_limit is_deprecated stability hosting vision reasoning org ' +
    'description base_url deployment_name dimensions max_input max_batch_size hf_link open_source nr_billion_parameters'
  ).split(' '),
);

const sections: readonly [string, ModelKind][] = [
  ['completion_models', 'completion'],
  ['embedding_models', 'embedding'],
  ['transcription_models', 'transcription'],
  ['speech_models', 'speech'],
  ['image_models', 'image'],
  ['moderation_models', 'moderation'],
];

/** The models by name. Loaded whole or not at all. */
export class ModelCatalogue {
  private constructor(
    private readonly byName: ReadonlyMap<string, Model>,
    /** Unknown fields by file and line; nothing that stops a start. */
    readonly warnings: readonly string[],
  ) {}

  /** @throws CatalogueError with file, line and reason of every fault */
  static load(file: string): ModelCatalogue {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new CatalogueError(`${file}: the model file cannot be read. Set AI_MODELS_FILE to one.`, {
        cause: error,
      });
    }
    return ModelCatalogue.parse(text, file);
  }

  static parse(text: string, file: string): ModelCatalogue {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines });
    const faults: string[] = document.errors.map(
      (error) => `${file}:${error.linePos?.[0].line ?? 1}: ${error.message.split('\n')[0] ?? ''}`,
    );
    const byName = new Map<string, Model>();
    const warnings: string[] = [];
    if (faults.length === 0) {
      const root: unknown = document.toJS({ maxAliasCount: 100 });
      for (const [path, kind, entry] of entriesOf(root)) {
        const node = document.getIn(path, true) as { range?: [number, number, number] } | undefined;
        const at = `${file}:${node?.range ? lines.linePos(node.range[0]).line : 1}`;
        const fault = faultOf(entry, byName);
        if (fault) {
          faults.push(`${at}: ${fault}`);
          continue;
        }
        const model = entry as Model;
        byName.set(model.name, Object.freeze({ ...model, kind }));
        const unknown = Object.keys(model).filter((field) => !knownFields.has(field));
        if (unknown.length > 0) warnings.push(`${at}: ${model.name}: unknown field ${unknown.join(', ')}`);
      }
      if (byName.size === 0 && faults.length === 0) faults.push(`${file}:1: there is no model in the file`);
    }
    if (faults.length > 0) throw new CatalogueError(faults.join('\n'));
    return new ModelCatalogue(byName, warnings);
  }

  all(): Model[] {
    return [...this.byName.values()];
  }

  /** @throws Problem model_not_found */
  find(name: string): Model {
    const model = this.byName.get(name);
    if (model) return model;
    throw new Problem('model_not_found', {
      detail: 'No model of this name is in the catalogue.',
      hint: 'GET /v1/models lists the names.',
      param: 'model',
    });
  }
}

function* entriesOf(root: unknown): Generator<[(string | number)[], ModelKind, unknown]> {
  if (Array.isArray(root)) {
    for (const [index, entry] of root.entries()) yield [[index], 'completion', entry];
    return;
  }
  for (const [section, kind] of sections) {
    const list = (root as Record<string, unknown> | null)?.[section];
    if (list === undefined || list === null) continue;
    if (!Array.isArray(list)) yield [[section], kind, undefined];
    else for (const [index, entry] of list.entries()) yield [[section, index], kind, entry];
  }
}

function faultOf(entry: unknown, known: ReadonlyMap<string, Model>): string | undefined {
  if (typeof entry !== 'object' || entry === null) return 'a model must be a map of fields';
  const { name, litellm_model_name: litellm, family, base_url: baseUrl } = entry as Record<string, unknown>;
  if (typeof name !== 'string' || name === '') return 'a model needs a name';
  if (known.has(name)) return `the name ${name} stands twice`;
  if (litellm !== undefined && litellm !== null) {
    if (typeof litellm !== 'string' || litellm === '') return `${name}: litellm_model_name must be a text`;
    if (!splitLitellmName(litellm)) return `${name}: litellm_model_name has an unknown provider prefix`;
  } else if (typeof family !== 'string') {
    return `${name}: a model without litellm_model_name needs a family`;
  }
  if (baseUrl !== undefined && baseUrl !== null && (typeof baseUrl !== 'string' || !URL.canParse(baseUrl))) {
    return `${name}: base_url must be a URL`;
  }
  return undefined;
}

/** `berget/intfloat/e5` -> berget and `intfloat/e5`; without a slash the default provider. */
export function splitLitellmName(name: string): { provider: Provider; upstreamModel: string } | undefined {
  const slash = name.indexOf('/');
  if (slash < 0) return { provider: defaultProvider, upstreamModel: name };
  const provider = providerOfPrefix(name.slice(0, slash));
  const upstreamModel = name.slice(slash + 1);
  return provider && upstreamModel !== '' ? { provider, upstreamModel } : undefined;
}

/** The provider that serves a model, by its adapter's rule; undefined when none does (family e5). */
export function providerOfModel(model: Model): { provider: Provider; upstreamModel: string } | undefined {
  if (model.litellm_model_name) return splitLitellmName(model.litellm_model_name);
  const provider = providerOfFamily(model.family ?? '');
  return provider && { provider, upstreamModel: model.name };
}
