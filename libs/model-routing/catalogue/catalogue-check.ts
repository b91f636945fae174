import { parseCatalogue } from './catalogue-document';
import { readEntries } from './catalogue-entries';
import { CatalogueError, describeFinding, type Finding } from './catalogue-finding';
import { routingWarnings } from './routing-warnings';
import { faultOfSize, readCatalogueText } from './catalogue-text';
import { type Model } from './model';
import { type ModelCatalogue } from './model-catalogue';

/** All that can be found out about a catalogue file without a database, a key or a call. */
export interface CatalogueCheck {
  /** The models without a fault. */
  readonly models: readonly Model[];
  /** Sorted by line. Tenkey does not start with a file that has a fault. */
  readonly findings: readonly Finding[];
}

/** Returns every fault and warning of a catalogue file, even when it is missing or not YAML. */
export function checkCatalogue(file: string): CatalogueCheck {
  return checked(() => readCatalogueText(file), file);
}

/** The same for a catalogue that is not a file yet. */
export function checkCatalogueText(text: string, file: string): CatalogueCheck {
  return checked(() => {
    const reason = faultOfSize(Buffer.byteLength(text));
    if (reason !== undefined) throw new CatalogueError([{ severity: 'fault', file, reason }]);
    return text;
  }, file);
}

function checked(read: () => string, file: string): CatalogueCheck {
  try {
    const { entries, findings } = readEntries(parseCatalogue(read(), file), file);
    return {
      models: entries.map(({ model }) => model),
      findings: byLine([...findings, ...routingWarnings(entries, file)]),
    };
  } catch (error) {
    if (!(error instanceof CatalogueError)) throw error;
    return { models: [], findings: byLine(error.faults) };
  }
}

/** The warnings about a catalogue in force, which are logged when Tenkey starts and after each reload. */
export function warningsOf({ findings, entries, file }: ModelCatalogue): string[] {
  return [...findings, ...routingWarnings(entries, file)].map(describeFinding);
}

/** What a check of the file says that was read last: it is the one in force, unless it has a fault. */
export function findingsOf({ findings, entries, file, fault }: ModelCatalogue): Finding[] {
  return byLine(
    fault ? [...fault.faults, ...fault.warnings] : [...findings, ...routingWarnings(entries, file)],
  );
}

function byLine(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
