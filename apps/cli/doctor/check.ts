import { ConfigError } from '#config';
import {
  type AddressSource,
  connectionAdvice,
  type Finding,
  isConnectionRefused,
  isDatabaseUnavailable,
  reasonOf,
  sqlStateOf,
} from '#database';

/** One thing that the doctor looks at. */
export interface Check {
  readonly name: string;
  /** Why the checks after this one are left out when it finds a fault. */
  readonly needed?: string;
  /** Returns what it found, and what it looked at in one sentence, for the case that nothing is wrong. */
  run(): Promise<Findings>;
}

export interface Findings {
  readonly text: string;
  readonly findings?: readonly Finding[];
}

/** One line of the report. */
export interface Result {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'fault' | 'not run';
  readonly text: string;
  readonly fix?: string;
}

/** Findings of one check that are named; the rest is counted. */
const NAMED = 20;

/**
 * Runs one check after the other. Only a database that has become unavailable keeps the remaining ones from running.
 * @param source where the address of the database was set
 */
export async function resultsOf(
  checks: readonly Check[],
  source: AddressSource = 'DATABASE_URL',
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [index, check] of checks.entries()) {
    try {
      const found = resultsOfOne(check.name, await check.run());
      results.push(...found);
      if (check.needed === undefined || found.every(({ status }) => status !== 'fault')) continue;
      results.push(...notRun(checks.slice(index + 1), check.needed));
      break;
    } catch (error) {
      results.push(failed(check.name, error as Error, source));
      if (!isUnavailable(error)) continue;
      results.push(...notRun(checks.slice(index + 1), 'the database has become unavailable'));
      break;
    }
  }
  return results;
}

function resultsOfOne(name: string, { text, findings = [] }: Findings): Result[] {
  if (findings.length === 0) return [{ name, status: 'ok', text }];
  const results = findings
    .slice(0, NAMED)
    .map((finding): Result => ({ name, status: finding.severity, text: finding.text, fix: finding.fix }));
  const rest = findings.slice(NAMED);
  if (rest.length === 0) return results;
  const status = rest.some(({ severity }) => severity === 'fault') ? 'fault' : 'warning';
  const more = rest.reduce((sum, { count = 1 }) => sum + count, 0);
  return [...results, { name, status, text: `${more} more of this check are not listed` }];
}

/** The line that says why some checks were left out; none when there are none. */
export function notRun(checks: readonly Pick<Check, 'name'>[], reason: string): Result[] {
  if (checks.length === 0) return [];
  return [{ name: checks.map(({ name }) => name).join(', '), status: 'not run', text: reason }];
}

/** A check that could not be finished. @param source where the address of the database was set */
export function failed(name: string, error: Error, source: AddressSource): Result {
  if (error instanceof ConfigError)
    return { name, status: 'not run', text: 'this check needs settings that can be read' };
  const isRefused = isConnectionRefused(error);
  if (!isRefused && !isDatabaseUnavailable(error)) {
    return {
      name,
      status: 'fault',
      text: `this could not be checked: ${error.message.replace(/\.$/, '')}`,
      fix: 'Correct what the message names, and run the command again.',
    };
  }
  const state = isRefused ? 'cannot be used' : 'is unavailable';
  return {
    name,
    status: 'fault',
    text: `the database ${state}: ${reasonOf(error)}`,
    fix: connectionAdvice(error, source),
  };
}

/** A statement that took too long concerns its own check only. */
function isUnavailable(error: unknown): boolean {
  return isDatabaseUnavailable(error) && sqlStateOf(error) !== '57014';
}
