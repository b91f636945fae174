import {
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parseDocument,
  type YAMLError,
  visit,
} from 'yaml';
import { CatalogueError, type Finding } from './catalogue-finding';

/** A path into the document: section, index, field. */
export type Path = readonly (string | number)[];

/** A parsed file: its values, and where in it they stand. */
export interface CatalogueDocument {
  readonly root: unknown;
  readonly warnings: readonly Finding[];
  /** The line of a value; of a field of a map, the line of its name. From 1; the nearest known one around it else. */
  readonly lineOf: (path: Path, field?: string) => number;
}

/** More repetitions of anchored parts than a file written by people has; each may hold further ones. */
const maxAliases = 1000;
/** A binary file taken for YAML has a fault in each line. */
const maxFaults = 50;

/** The parser's own sentences quote the file. */
const sentences: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias (*) can have no anchor or tag of its own',
  BAD_ALIAS: 'this alias (*) or anchor (&) is not written as YAML demands',
  BAD_COLLECTION_TYPE: 'this tag does not fit a list or map',
  BAD_DIRECTIVE: 'this % directive is not known',
  BAD_DQ_ESCAPE: 'a backslash in "..." begins an escape, and this is none; use \'...\' or write it twice',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_PROP_ORDER: 'an anchor or tag stands in the wrong place',
  BAD_SCALAR_START: 'a text cannot begin with this character; quote it',
  BLOCK_AS_IMPLICIT_KEY:
    'a map cannot begin here; is the indentation wrong, a quote missing, or a text with ": " unquoted?',
  BLOCK_IN_FLOW: 'within [...] or {...} no indented list or map can stand',
  DUPLICATE_KEY: 'this field stands twice in one map',
  IMPOSSIBLE: 'this is not YAML',
  KEY_OVER_1024_CHARS: 'the name of a field is longer than 1024 characters',
  MISSING_CHAR: 'a character is missing: a closing quote or bracket, a comma, or the space after ":" or "-"',
  MULTILINE_IMPLICIT_KEY: 'the name of a field must stand on one line; is a ":" missing?',
  MULTIPLE_ANCHORS: 'a value can have only one anchor',
  MULTIPLE_DOCS: 'a second document begins here (---); a model file is one document',
  MULTIPLE_TAGS: 'a value can have only one tag',
  NON_STRING_KEY: 'the name of a field must be a text',
  RESOURCE_EXHAUSTION: 'the file is nested too deeply',
  TAB_AS_INDENT: 'a tab cannot indent YAML; use spaces',
  TAG_RESOLVE_FAILED: 'this tag (!) is not known or does not fit its value',
  UNEXPECTED_TOKEN: 'this does not fit here; is a quote, bracket, ":" or "-" wrong?',
};

/** @throws CatalogueError with every fault of the YAML itself */
export function parseCatalogue(text: string, file: string): CatalogueDocument {
  const lines = new LineCounter();
  const finding = (severity: Finding['severity'], offset: number, reason: string): Finding => ({
    severity,
    file,
    line: Math.max(1, lines.linePos(offset).line),
    reason,
  });
  const said = (severity: Finding['severity']) => (error: YAMLError) =>
    finding(severity, error.pos[0], sentences[error.code]);
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  } catch (error) {
    // The parser is recursive.
    if (!(error instanceof RangeError)) throw error;
    throw new CatalogueError([finding('fault', 0, sentences.RESOURCE_EXHAUSTION)]);
  }
  const tooDeep = document.errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  // What follows such a fault are its echoes.
  const errors = tooDeep ? [tooDeep] : document.errors.slice(0, maxFaults);
  const faults = [...errors.map(said('fault')), ...unresolvedAliases(document, finding)];
  if (faults.length > 0) throw new CatalogueError(faults.slice(0, maxFaults));
  let root: unknown;
  try {
    root = document.toJS({ maxAliasCount: maxAliases });
  } catch {
    const at = firstAlias(document) ?? 0;
    const reason = `aliases (*) repeat more than ${maxAliases} parts of the file, or nest too deeply; write them out`;
    throw new CatalogueError([finding('fault', at, reason)]);
  }
  return {
    root,
    warnings: document.warnings.map(said('warning')),
    lineOf: (path, field) => lines.linePos(offsetOf(document, path, field)).line || 1,
  };
}

function unresolvedAliases(
  document: Document.Parsed,
  finding: (severity: Finding['severity'], offset: number, reason: string) => Finding,
): Finding[] {
  const found: Finding[] = [];
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) !== undefined) return;
      found.push(finding('fault', alias.range?.[0] ?? 0, 'this alias (*) has no anchor (&) above it'));
    },
  });
  return found;
}

function firstAlias(document: Document.Parsed): number | undefined {
  let offset: number | undefined = undefined;
  visit(document, {
    Alias: (_key, alias) => {
      offset = alias.range?.[0];
      return visit.BREAK;
    },
  });
  return offset;
}

function offsetOf(document: Document.Parsed, path: Path, field?: string): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    node = isAlias(node) ? node.resolve(document) : node;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      offset = startOf(pair?.key) ?? offset;
      node = pair?.value;
    } else node = (node as { items?: unknown[] } | null | undefined)?.items?.[step as number];
    offset = startOf(node) ?? offset;
  }
  if (field === undefined) return offset;
  const map = isAlias(node) ? node.resolve(document) : node;
  const pair = isMap(map) ? map.items.find(({ key }) => isScalar(key) && key.value === field) : undefined;
  return startOf(pair?.key) ?? offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
