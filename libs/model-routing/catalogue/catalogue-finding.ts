import { isTypoOf } from '#http';

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

  /** @param warnings about the same file, which do not keep it from being used */
  constructor(
    readonly faults: readonly Finding[],
    readonly warnings: readonly Finding[] = [],
  ) {
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
  const near = [...known].filter((each) => isTypoOf(each, word));
  return near.length === 1 ? `; did you mean ${near[0]}?` : '';
}

/** Removes control characters: findings are printed in terminals, which would interpret them. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '');
}
