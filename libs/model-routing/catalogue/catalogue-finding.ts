import { isOneEdit } from '#http';

/**
 * One thing to say of a catalogue file. A fault stops a start and a reload; a warning does not. The reason names models
 * and fields, and repeats no value of the file: it is shown in /ready, which needs no key.
 */
export interface Finding {
  readonly severity: 'fault' | 'warning';
  readonly file: string;
  /** From 1; absent when the file could not be read at all. */
  readonly line?: number;
  readonly reason: string;
}

/** `file:line: reason`, as compilers write it. */
export function describeFinding({ file, line, reason }: Finding): string {
  return `${file}:${line === undefined ? '' : `${line}:`} ${reason}`;
}

/** Faults of a catalogue file: file, line and reason of each. */
export class CatalogueError extends Error {
  override readonly name = 'CatalogueError';

  constructor(readonly faults: readonly Finding[]) {
    super(faults.map(describeFinding).join('\n'));
  }
}

/** Quotes at most five names: a text stays readable when a whole catalogue is meant. */
export function listOf(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

/** `; did you mean x?` when exactly one of the known words is meant, else nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const plain = plainOf(word);
  const near = [...known].filter((each) => plainOf(each) === plain || isOneEdit(word, each));
  return near.length === 1 ? `; did you mean ${near[0]}?` : '';
}

/** `litellmModelName` and `LiteLLM-model-name` are other spellings of `litellm_model_name`. */
function plainOf(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ .]/g, '');
}
