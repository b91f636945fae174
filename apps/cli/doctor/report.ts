import { counted } from '#database';
import { jsonLine, visible } from '../output';
import { type Result } from './check';

/** How many lines say what. */
export function countsOf(results: readonly Result[]): { faults: number; warnings: number } {
  const count = (status: Result['status']) => results.filter((result) => result.status === status).length;
  return { faults: count('fault'), warnings: count('warning') };
}

/** One line for each result, with its fix. */
export function inText(results: readonly Result[]): string {
  const lines = results.map(({ name, status, text, fix }) => {
    const sentence = `${status.padEnd('not run'.length)}  ${name}: ${text}`;
    return fix === undefined ? sentence : `${sentence}. ${fix}`;
  });
  const { faults, warnings } = countsOf(results);
  const last = `${counted(faults, 'fault')}, ${counted(warnings, 'warning')}`;
  return [...lines, last, ''].map(visible).join('\n');
}

export function inJson(results: readonly Result[]): string {
  return jsonLine({ ...countsOf(results), checks: results });
}
