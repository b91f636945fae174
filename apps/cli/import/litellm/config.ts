import { dirname, isAbsolute, join } from 'node:path';
import {
  CatalogueError,
  type Finding,
  isRecord,
  type ModelKind,
  parseCatalogue,
  type Path,
  readText,
} from '#model-routing';

const kind = { noun: 'configuration', maxKiB: 2048, choose: 'Give' };

/** A file of the configuration: config.yaml, or one that it includes. */
export interface ConfigFile {
  readonly file: string;
  readonly root: Readonly<Record<string, unknown>>;
  /** The line of a value, or of the name of one of its fields, from 1. */
  readonly lineOf: (path: Path, field?: string) => number;
}

/** Where something is written. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** A value and where it is written. */
export interface Placed extends Place {
  readonly value: unknown;
}

/** A model for the catalogue. */
export interface PlannedModel {
  readonly kind: ModelKind;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Reports a `fault` for what is not carried over, and a `warning` for what is carried over in another form. */
export type Report = (severity: Finding['severity'], place: Place, reason: string) => void;

/**
 * Reads config.yaml, and the files in `include` as LiteLLM does: relative to config.yaml, and without what these include.
 * @throws CatalogueError when one of them cannot be read or is not valid YAML; LiteLLM does not start then either
 */
export function readConfig(file: string): ConfigFile[] {
  const main = readFile(file);
  const included = listAt(main, 'include').map(({ value, line }) => {
    if (typeof value === 'string' && value.trim() !== '') {
      return readFile(isAbsolute(value) ? value : join(dirname(file), value));
    }
    throw new CatalogueError([
      { severity: 'fault', file, line, reason: 'include must be a list of file names' },
    ]);
  });
  return [main, ...included];
}

function readFile(file: string): ConfigFile {
  const document = parseCatalogue(readText(file, kind), file);
  // LiteLLM refuses tags too. Without its tag, a value would be taken for something else.
  const tags = document.warnings.map((warning) => ({ ...warning, severity: 'fault' as const }));
  if (tags.length > 0) throw new CatalogueError(tags);
  const { root, lineOf } = document;
  if (isRecord(root)) return { file, root, lineOf };
  const reason = 'a configuration of LiteLLM is a map with a model_list';
  throw new CatalogueError([{ severity: 'fault', file, line: 1, reason }]);
}

/** The items of a list; a value that is no list counts as the only item, so that its reader reports it. */
export function listAt({ file, root, lineOf }: ConfigFile, section: string): (Placed & { path: Path })[] {
  const list = root[section];
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) return [{ value: list, path: [section], file, line: lineOf([section]) }];
  return list.map((value: unknown, index) => {
    const path = [section, index];
    return { value, path, file, line: lineOf(path) };
  });
}

/** The fields of a map, with their lines. Null means an absent field. */
export function fieldsAt({ file, lineOf }: ConfigFile, path: Path, map: unknown): Map<string, Placed> {
  const fields = isRecord(map) ? Object.entries(map).filter(([, value]) => value !== null) : [];
  return new Map(fields.map(([name, value]) => [name, { value, file, line: lineOf(path, name) }]));
}

/** Whether a value says nothing: null, or an empty list, map or text. */
export function isEmpty(value: unknown): boolean {
  if (typeof value === 'object') return value === null || Object.keys(value).length === 0;
  return value === '';
}

/** The name of a setting, unless it is something else, such as a key in the wrong place. */
export function shownName(name: string): string {
  return /^[A-Za-z_][\w.-]{0,60}$/.test(name) ? name : '(not a name)';
}
