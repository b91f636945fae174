import { type ModelKind } from '#model-routing';
import { planAliases } from './aliases';
import { adviceOfInfo, adviceOfParam, adviceOfSetting } from './advice';
import {
  type ConfigFile,
  isEmpty,
  type Place,
  type Placed,
  type PlannedModel,
  type Report,
  shownName,
} from './config';
import { connectionOf, type Params } from './connections';
import { type Entry, maxNameLength, readCredentials, readEntries } from './entries';
import { ProviderPlan } from './provider-plan';
import { targetOf } from './targets';
import { type Variables } from './variables';

export interface ModelPlan {
  readonly models: readonly PlannedModel[];
  readonly providers: ProviderPlan;
}

/** `model_info.mode` -> the kind of model. */
const kindOfMode: ReadonlyMap<unknown, ModelKind> = new Map<unknown, ModelKind>([
  ['chat', 'completion'],
  ['completion', 'completion'],
  ['responses', 'completion'],
  ['embedding', 'embedding'],
  ['audio_transcription', 'transcription'],
  ['audio_speech', 'speech'],
  ['image_generation', 'image'],
  ['image_edit', 'image'],
  ['moderation', 'moderation'],
  ['moderations', 'moderation'],
  ['rerank', 'rerank'],
]);

/** Fields of `model_info` that mean exactly the same as one of the catalogue, if they have a value of that type. */
const sameMeaning: readonly { info: string; field: string; type: string; kinds?: readonly ModelKind[] }[] = [
  { info: 'supports_vision', field: 'vision', type: 'boolean' },
  { info: 'supports_reasoning', field: 'reasoning', type: 'boolean' },
  { info: 'max_input_tokens', field: 'max_input', type: 'number', kinds: ['embedding'] },
  { info: 'output_vector_size', field: 'dimensions', type: 'number', kinds: ['embedding'] },
];

const usedParams = new Set([
  ...['model', 'custom_llm_provider', 'litellm_credential_name'],
  ...['api_key', 'api_base', 'base_url', 'api_version', 'organization'],
]);

/** Turns `model_list` into models of a catalogue, with the providers and credentials that they need. */
export function planModels(
  files: readonly ConfigFile[],
  variables: Variables,
  report: Report,
  keepDuplicates: boolean,
): ModelPlan {
  const credentials = readCredentials(files, report);
  const entries = readEntries(files, credentials, report);
  const names = new Set(entries.map(({ name }) => name));
  const firsts = new Map<string, Place>();
  const providers = new ProviderPlan();
  const models = new Map<string, PlannedModel>();
  const withoutMode: Entry[] = [];
  for (const entry of entries) {
    const first = firsts.get(entry.name);
    const isAlready = `${entry.name}: this name is already ${placeOf(first, entry.place)}`;
    if (first !== undefined && !keepDuplicates) {
      const reason = `${isAlready}, and only that entry is carried over, because Tenkey calls one deployment for each model; --keep-duplicates gives this one another name`;
      report('fault', entry.place, reason);
      continue;
    }
    const name = first === undefined ? entry.name : freeName(entry.name, names);
    const model = planModel({ ...entry, name }, providers, variables, report);
    if (model === undefined) continue;
    if (first !== undefined) {
      report('warning', entry.place, `${isAlready}; this entry is carried over as ${name}`);
    } else firsts.set(name, entry.place);
    if (!entry.info.has('mode')) withoutMode.push(entry);
    models.set(name, model);
  }
  if (withoutMode.length > 0) {
    const { length: count } = withoutMode;
    const subject = count === 1 ? '1 model has' : `${count} models have`;
    const reason = `${subject} no model_info.mode, here and below, and ${count === 1 ? 'is' : 'are'} in completion_models; move those that are of another kind`;
    report('warning', withoutMode[0]!.place, reason);
  }
  const used = new Set(entries.map(({ params }) => params.get('litellm_credential_name')?.value));
  for (const [name, { place }] of credentials) {
    if (!used.has(name)) report('fault', place, `${shownName(name)}: ${adviceOfSetting('credential_list')}`);
  }
  return { models: [...models.values(), ...planAliases(files, models, report)], providers };
}

function planModel(
  { name, params, info, place }: Entry,
  providers: ProviderPlan,
  variables: Variables,
  report: Report,
): PlannedModel | undefined {
  const fault = (at: Place | undefined, reason: string) => {
    report('fault', at ?? place, `${name}: ${reason}. The model is not carried over`);
    return undefined;
  };
  const mode = info.get('mode');
  const kind = mode === undefined ? 'completion' : kindOfMode.get(mode.value);
  if (kind === undefined) {
    return fault(
      mode,
      `no list of the catalogue is for models of this mode; the modes are ${[...kindOfMode.keys()].join(', ')}`,
    );
  }
  const model = params.get('model');
  const custom = params.get('custom_llm_provider')?.value;
  if (typeof model?.value !== 'string') return fault(model, 'litellm_params needs a model, which is a text');
  const written = variables.resolve(model.value);
  if (written.text === undefined) return fault(model, `model ${written.fault}`);
  const target = targetOf(written.text.trim(), typeof custom === 'string' ? custom : undefined);
  if ('reason' in target) return fault(model, `model ${target.reason}`);
  const connection = connectionOf(target, params, variables);
  if ('reason' in connection) return fault(params.get(connection.param), connection.reason);
  const named = params.get('litellm_credential_name')?.value;
  // Without the value, which is the key.
  const { file, line } = params.get('api_key') ?? place;
  const assigned = providers.assign(connection, name, typeof named === 'string' ? named : name, {
    file,
    line,
  });
  if ('reason' in assigned)
    return fault(params.get('api_base') ?? params.get('api_key'), `it ${assigned.reason}`);
  if (assigned.warning !== undefined) report('warning', place, `${name}: it ${assigned.warning}`);
  if (target.leftOut !== undefined) {
    const reason = `${target.leftOut} in model chooses an API of LiteLLM and is left out, because each model serves /v1/responses and /v1/chat/completions`;
    report('warning', model, `${name}: ${reason}`);
  }
  const isAzure = connection.provider.id === 'azure';
  return {
    kind,
    fields: {
      name,
      litellm_model_name: `${assigned.prefix}/${target.upstreamModel}`,
      ...(isAzure && { deployment_name: target.upstreamModel }),
      ...reportOthers(name, kind, params, info, report),
    },
  };
}

/** Reports what has no counterpart. @returns the fields of the catalogue for what has one */
function reportOthers(
  name: string,
  kind: ModelKind,
  params: Params,
  info: ReadonlyMap<string, Placed>,
  report: Report,
): Record<string, unknown> {
  for (const [param, place] of params) {
    if (usedParams.has(param) || isEmpty(place.value)) continue;
    report('fault', place, `${name}: ${shownName(param)} is not carried over: ${adviceOfParam(param)}`);
  }
  const fields: Record<string, unknown> = {};
  for (const [field, place] of info) {
    if (field === 'mode' || isEmpty(place.value)) continue;
    const same = sameMeaning.find((each) => each.info === field && (each.kinds?.includes(kind) ?? true));
    if (same !== undefined && typeof place.value === same.type) fields[same.field] = place.value;
    else
      report(
        'fault',
        place,
        `${name}: model_info.${shownName(field)} is not carried over: ${adviceOfInfo(field)}`,
      );
  }
  return fields;
}

function freeName(name: string, names: Set<string>): string {
  for (let number = 2; ; number += 1) {
    const free = `${name.slice(0, maxNameLength - 8)}-${number}`;
    if (names.has(free)) continue;
    names.add(free);
    return free;
  }
}

function placeOf(first: Place | undefined, place: Place): string {
  return first?.file === place.file ? `on line ${first.line}` : `in ${first?.file}:${first?.line}`;
}
