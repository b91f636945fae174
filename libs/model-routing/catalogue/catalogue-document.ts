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

/** A path into the document, by section and index. */
export type Path = readonly (string | number)[];

/** A parsed file: its values and their lines. */
export interface CatalogueDocument {
  readonly root: unknown;
  readonly warnings: readonly Finding[];
  /** The line of a value, or of the name of one of its fields, from 1; without a position, that of the value around it. */
  readonly lineOf: (path: Path, field?: string) => number;
}

/** More aliases than a file written by hand has. Each may repeat a part that has aliases itself. */
const maxAliases = 1000;
/** A binary file that is read as YAML has a fault on each line. */
const maxFaults = 50;

/** The reasons that findings give. The parser's own messages are not used, because they quote the file. */
const reasons: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias (*) cannot have an anchor or a tag',
  BAD_ALIAS: 'this alias (*) or anchor (&) is not valid YAML',
  BAD_COLLECTION_TYPE: 'this tag does not fit a list or map',
  BAD_DIRECTIVE: 'this % directive is not known',
  BAD_DQ_ESCAPE:
    'a backslash in "..." starts an escape sequence, and this one is not valid; use \'...\' or write it twice',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_PROP_ORDER: 'an anchor or tag is in the wrong place',
  BAD_SCALAR_START: 'a text cannot start with this character; quote it',
  BLOCK_AS_IMPLICIT_KEY:
    'a map cannot start here; is the indentation wrong, a quote missing, or a text with ": " unquoted?',
  BLOCK_IN_FLOW: '[...] or {...} cannot contain an indented list or map',
  DUPLICATE_KEY: 'this field occurs twice in one map',
  IMPOSSIBLE: 'this is not YAML',
  KEY_OVER_1024_CHARS: 'the name of a field is longer than 1024 characters',
  MISSING_CHAR: 'a character is missing: a closing quote or bracket, a comma, or the space after ":" or "-"',
  MULTILINE_IMPLICIT_KEY: 'the name of a field must be on one line; is a ":" missing?',
  MULTIPLE_ANCHORS: 'a value can have only one anchor',
  MULTIPLE_DOCS: 'a second document starts here (---); the file must be one document',
  MULTIPLE_TAGS: 'a value can have only one tag',
  NON_STRING_KEY: 'the name of a field must be a text',
  RESOURCE_EXHAUSTION: 'the file is nested too deeply',
  TAB_AS_INDENT: 'a tab cannot indent YAML; use spaces',
  TAG_RESOLVE_FAILED: 'this tag (!) is not known or does not fit its value',
  UNEXPECTED_TOKEN: 'this is not expected here; is a quote, bracket, ":" or "-" wrong?',
};

/** @throws CatalogueError with every fault in the YAML itself */
export function parseCatalogue(text: string, file: string): CatalogueDocument {
  const lines = new LineCounter();
  const finding = (severity: Finding['severity'], offset: number, reason: string): Finding => ({
    severity,
    file,
    line: Math.max(1, lines.linePos(offset).line),
    reason,
  });
  const findingOf = (severity: Finding['severity']) => (error: YAMLError) =>
    finding(severity, error.pos[0], reasons[error.code]);
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  } catch (error) {
    // The parser is recursive, so deep nesting overflows the stack.
    if (!(error instanceof RangeError)) throw error;
    throw new CatalogueError([finding('fault', 0, reasons.RESOURCE_EXHAUSTION)]);
  }
  const tooDeep = document.errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  // All further faults are consequences of that one.
  const errors = tooDeep ? [tooDeep] : document.errors.slice(0, maxFaults);
  const faults = [...errors.map(findingOf('fault')), ...unresolvedAliases(document, finding)];
  if (faults.length > 0) throw new CatalogueError(faults.slice(0, maxFaults));
  let root: unknown;
  try {
    root = document.toJS({ maxAliasCount: maxAliases });
  } catch {
    const at = firstAlias(document) ?? 0;
    const reason = `aliases (*) repeat more than ${maxAliases} parts of the file, or are nested too deeply; write the parts out`;
    throw new CatalogueError([finding('fault', at, reason)]);
  }
  return {
    root,
    warnings: document.warnings.map(findingOf('warning')),
    lineOf: (path, field) => lines.linePos(offsetOf(document, path, field)).line || 1,
  };
}

function unresolvedAliases(
  document: Document.Parsed,
  finding: (severity: Finding['severity'], offset: number, reason: string) => Finding,
): Finding[] {
  const faults: Finding[] = [];
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) !== undefined) return;
      faults.push(finding('fault', alias.range?.[0] ?? 0, 'this alias (*) has no anchor (&) above it'));
    },
  });
  return faults;
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
