import { ProviderRegistry } from '#providers';
import { type CatalogueDocument, type Path } from './catalogue-document';
import { isRecord, knownFields } from './catalogue-fields';
import { didYouMean, type Finding, listOf, printable } from './catalogue-finding';
import { readDeclarations } from './declarations';
import { type Model, type ModelKind, modelKinds, modelOf, splitLitellmName } from './model';

/** A model and the lines of its fields. */
export interface CatalogueEntry {
  readonly model: Model;
  /** The line of the field's name, or of the entry when no field is given. Lines count from 1. */
  readonly lineOf: (field?: string) => number;
}

const sections: ReadonlyMap<string, ModelKind> = new Map(modelKinds.map((kind) => [`${kind}_models`, kind]));

const sectionNames = [...sections.keys(), 'providers'];

const maxNameLength = 256;

/**
 * Reads the declared providers and the models of a file, frozen, and its faults and warnings. Models with a fault are left out.
 */
export function readEntries(
  document: CatalogueDocument,
  file: string,
): { providers: ProviderRegistry; entries: CatalogueEntry[]; findings: Finding[] } {
  const findings = [...document.warnings];
  const add = (severity: Finding['severity'], line: number, reason: string) =>
    void findings.push({ severity, file, line, reason });
  const providers = new ProviderRegistry(readDeclarations(document, add));
  const entries: CatalogueEntry[] = [];
  const lineOfName = new Map<string, number>();
  let isAnyEntry = false;
  for (const { path, kind, value } of listedEntries(document, add)) {
    isAnyEntry = true;
    const lineOf = (field?: string) => document.lineOf(path, field);
    if (!isRecord(value)) {
      add('fault', lineOf(), 'a model must be a map of fields');
      continue;
    }
    const label = labelOf(value);
    const before = findings.length;
    const fault = (field: string | undefined, reason: string) =>
      add('fault', lineOf(field), label ? `${label}: ${reason}` : reason);
    checkName(value.name, lineOf, lineOfName, fault);
    checkTarget(providers, value, fault);
    checkFields(value, lineOf, (severity, field, reason) =>
      severity === 'fault'
        ? fault(field, reason)
        : add('warning', lineOf(field), `${label ?? 'a model'}: ${reason}`),
    );
    if (findings.slice(before).some(({ severity }) => severity === 'fault')) continue;
    entries.push({ model: modelOf(providers, value, kind), lineOf });
  }
  if (!isAnyEntry && findings.every(({ severity }) => severity !== 'fault')) {
    add('fault', 1, 'the file has no models');
  }
  return { providers, entries, findings };
}

function* listedEntries(
  { root, lineOf }: CatalogueDocument,
  add: (severity: Finding['severity'], line: number, reason: string) => void,
): Generator<{ path: Path; kind: ModelKind; value: unknown }> {
  if (Array.isArray(root)) {
    for (const [index, value] of root.entries()) yield { path: [index], kind: 'completion', value };
    return;
  }
  if (root === null || root === undefined) return;
  if (!isRecord(root))
    return add('fault', 1, `a model file is a list of models, or a map with ${sectionNames.join(', ')}`);
  for (const [section, list] of Object.entries(root)) {
    const kind = sections.get(section);
    // As in Compose files, parts that only hold anchors have names that start with `x-`.
    if (kind === undefined && section !== 'providers' && !section.startsWith('x-')) {
      const hint = didYouMean(section, sectionNames) || `; the sections are ${sectionNames.join(', ')}`;
      add('warning', lineOf([section]), `${printable(section)} is not a section and is ignored${hint}`);
    }
    if (kind === undefined || list === null) continue;
    if (Array.isArray(list)) {
      for (const [index, value] of list.entries()) yield { path: [section, index], kind, value };
    } else add('fault', lineOf([section]), `${section} must be a list of models`);
  }
}

type Fault = (field: string | undefined, reason: string) => void;

function checkName(
  name: unknown,
  lineOf: (field?: string) => number,
  lineOfName: Map<string, number>,
  fault: Fault,
): void {
  if (name === undefined || name === null || name === '') return fault('name', 'a model needs a name');
  if (typeof name !== 'string') return fault('name', 'name must be a text; quote it');
  if (name.length > maxNameLength || printable(name) !== name || name.trim() !== name) {
    return fault('name', `a name has 1 to ${maxNameLength} printable characters, and no spaces around them`);
  }
  const first = lineOfName.get(name);
  if (first !== undefined)
    return fault('name', `the name ${name} occurs twice; it is already on line ${first}`);
  lineOfName.set(name, lineOf('name'));
}

function checkTarget(providers: ProviderRegistry, value: Record<string, unknown>, fault: Fault): void {
  const { litellm_model_name: litellm, family } = value;
  if (litellm === undefined || litellm === null) {
    if (family === undefined || family === null)
      fault(undefined, 'a model without litellm_model_name needs a family');
    return;
  }
  if (typeof litellm !== 'string') return;
  if (litellm.trim() !== litellm || litellm === '') {
    return fault('litellm_model_name', 'litellm_model_name must be a text without spaces around it');
  }
  if (splitLitellmName(providers, litellm)) return;
  const prefix = litellm.slice(0, litellm.indexOf('/'));
  const { prefixes } = providers;
  const reason = prefixes.includes(prefix)
    ? 'litellm_model_name has no model after the provider'
    : `litellm_model_name has an unknown provider prefix; the known ones are ${prefixes.join(', ')}${didYouMean(prefix, prefixes)}; for your own server, declare the prefix: \`providers: [{ id: the-prefix, kind: openai_compatible, label: Its name }]\``;
  fault('litellm_model_name', reason);
}

function checkFields(
  value: Record<string, unknown>,
  lineOf: (field?: string) => number,
  report: (severity: Finding['severity'], field: string, reason: string) => void,
): void {
  const unknown: string[] = [];
  for (const [field, content] of Object.entries(value)) {
    const known = knownFields.get(field);
    if (known !== undefined) {
      // `checkName` reports faults of the name.
      if (field === 'name' || content === null || known.holds(content)) continue;
      report(known.isUsed ? 'fault' : 'warning', field, `${field} must be ${known.form}`);
      continue;
    }
    const hint = didYouMean(field, knownFields.keys());
    if (hint) report('warning', field, `unknown field ${printable(field)}${hint}`);
    else unknown.push(field);
  }
  if (unknown.length > 0) report('warning', unknown[0]!, `unknown field ${listOf(unknown.map(printable))}`);
}

/** The name that findings use for an entry; undefined when it has none. */
function labelOf({ name }: Record<string, unknown>): string | undefined {
  if (typeof name !== 'string' || name === '') return undefined;
  return printable(name).trim().slice(0, maxNameLength);
}
