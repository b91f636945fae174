/**
 * A fault or a warning in a catalogue file. Tenkey does not start with, or reload, a file that has a fault. The reason names
 * models and fields but no values, because /ready shows it and needs no key.
 */
export interface Finding {
  readonly severity: 'fault' | 'warning';
  readonly file: string;
  /** Counts from 1; absent when the file could not be read at all. */
  readonly line?: number;
  readonly reason: string;
}

/** Formats a finding as `file:line: reason`, as compilers do. */
export function describeFinding({ file, line, reason }: Finding): string {
  return `${file}:${line === undefined ? '' : `${line}:`} ${reason}`;
}

/** The faults of a catalogue file. The message has a line for each. */
export class CatalogueError extends Error {
  override readonly name = 'CatalogueError';

  constructor(readonly faults: readonly Finding[]) {
    super(faults.map(describeFinding).join('\n'));
  }
}

/** Lists at most five names, so that a text about a whole catalogue remains readable. */
export function listOf(names: readonly string[]): string {
  const listed = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${listed} and ${names.length - 5} more` : listed;
}

/** Returns `; did you mean x?` when exactly one of the known words is close enough, else nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const plain = plainOf(word);
  const near = [...known].filter((each) => plainOf(each) === plain || isOneEdit(word, each));
  return near.length === 1 ? `; did you mean ${near[0]}?` : '';
}

/** Makes `litellmModelName` and `LiteLLM-model-name` equal to `litellm_model_name`. */
function plainOf(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ .]/g, '');
}

/** One character more, less or other, or two neighbours swapped. */
function isOneEdit(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  if (left.length <= 1 && right.length <= 1) return true;
  return left.length === 2 && right === `${left[1]}${left[0]}`;
}
