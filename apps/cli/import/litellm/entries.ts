import { isRecord, type Path, printable } from '#model-routing';
import { adviceOfParam } from './advice';
import {
  type ConfigFile,
  fieldsAt,
  isEmpty,
  listAt,
  type Place,
  type Placed,
  type Report,
  shownName,
} from './config';
import { type Params } from './connections';

export const maxNameLength = 256;

/** One entry of `model_list`. */
export interface Entry {
  readonly name: string;
  readonly params: Params;
  readonly info: ReadonlyMap<string, Placed>;
  readonly place: Place;
}

/** Reads `model_list` of all files, in order. What is no model is reported and left out. */
export function readEntries(files: readonly ConfigFile[], credentials: Credentials, report: Report): Entry[] {
  const lists = files.filter(({ root }) => !isEmpty(root.model_list ?? null));
  if (lists.length === 0) {
    report(
      'fault',
      { file: files[0]!.file, line: 1 },
      'there is no model_list with models, so there is nothing to import',
    );
  }
  return lists.flatMap((file) => {
    if (Array.isArray(file.root.model_list)) {
      return listAt(file, 'model_list').flatMap((item) => readEntry(file, item, credentials, report) ?? []);
    }
    const line = file.lineOf(['model_list']);
    report('fault', { file: file.file, line }, 'model_list must be a list of models');
    return [];
  });
}

function readEntry(
  file: ConfigFile,
  { value, path, ...place }: Placed & { path: Path },
  credentials: Credentials,
  report: Report,
): Entry | undefined {
  if (!isRecord(value)) {
    report('fault', place, 'a model must be a map with model_name and litellm_params');
    return undefined;
  }
  const fields = fieldsAt(file, path, value);
  const { value: name, ...namePlace } = fields.get('model_name') ?? { value: undefined, ...place };
  if (
    typeof name !== 'string' ||
    name === '' ||
    name.length > maxNameLength ||
    printable(name).trim() !== name
  ) {
    report('fault', namePlace, `model_name must be a text of 1 to ${maxNameLength} printable characters`);
    return undefined;
  }
  if (name.includes('*')) {
    report(
      'fault',
      namePlace,
      'model_name is a wildcard, which names no model; write an entry for each model that clients use',
    );
    return undefined;
  }
  const fault = (reason: string) => {
    report('fault', namePlace, `${name}: ${reason}. The model is not carried over`);
    return undefined;
  };
  if (!isRecord(value.litellm_params)) return fault('litellm_params must be a map with a model');
  const own = fieldsAt(file, [...path, 'litellm_params'], value.litellm_params);
  const named = own.get('litellm_credential_name')?.value;
  const credential = typeof named === 'string' ? credentials.get(named) : undefined;
  if (named !== undefined && credential === undefined)
    return fault('litellm_credential_name is not in credential_list');
  const info = fields.get('model_info');
  if (info !== undefined && !isRecord(info.value)) {
    report('fault', info, `${name}: model_info is not carried over: it must be a map`);
  }
  for (const [field, at] of fields) {
    if (['model_name', 'litellm_params', 'model_info'].includes(field) || isEmpty(at.value)) continue;
    report('fault', at, `${name}: ${shownName(field)} is not carried over: ${adviceOfParam(field)}`);
  }
  // As in LiteLLM, the entry's own values come before those of the credential.
  const params = new Map([...(credential?.values ?? []), ...own]);
  return { name, params, info: fieldsAt(file, [...path, 'model_info'], value.model_info), place: namePlace };
}

/** By `credential_name`. */
export type Credentials = ReadonlyMap<string, { readonly values: Params; readonly place: Place }>;

export function readCredentials(files: readonly ConfigFile[], report: Report): Credentials {
  const credentials = new Map<string, { values: Params; place: Place }>();
  for (const file of files) {
    for (const { value, path, ...place } of listAt(file, 'credential_list')) {
      const { credential_name: name, credential_values: values } = isRecord(value) ? value : {};
      if (typeof name !== 'string' || !isRecord(values)) {
        report(
          'fault',
          place,
          'an entry of credential_list must be a map with credential_name and credential_values',
        );
      } else if (credentials.has(name)) {
        report('fault', place, 'this credential_name occurs twice, and only the first one is used');
      } else credentials.set(name, { values: fieldsAt(file, [...path, 'credential_values'], values), place });
    }
  }
  return credentials;
}
