/** Something that a check of an installation found. */
export interface Finding {
  readonly severity: 'fault' | 'warning';
  /** What is wrong, as one sentence without secrets. */
  readonly text: string;
  /** A command, a statement or a setting. */
  readonly fix: string;
  /** How many findings this one counts for, if there are more than are kept. */
  readonly count?: number;
}

/** A number with its noun. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** Findings of one check that are kept in memory. Of a large database every row may be wrong. */
const KEPT = 1000;

/** Adds a finding to a list. When the list is full, the count of its last entry grows instead. */
export function addFinding(list: Finding[], finding: Finding): void {
  const last = list[KEPT - 1];
  if (last === undefined) list.push(finding);
  else list[KEPT - 1] = { ...last, count: (last.count ?? 1) + 1 };
}

export const fault = (text: string, fix: string): Finding => ({ severity: 'fault', text, fix });
export const warning = (text: string, fix: string): Finding => ({ severity: 'warning', text, fix });
