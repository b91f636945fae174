import { parseCatalogue } from './catalogue-document';
import { readEntries } from './catalogue-entries';
import { CatalogueError, describeFinding, type Finding } from './catalogue-finding';
import { serviceWarnings } from './routing-warnings';
import { readCatalogueText } from './catalogue-text';
import { type Model } from './model';
import { type ModelCatalogue } from './model-catalogue';

/** All that can be said of a catalogue file without a database, a key or a call. */
export interface CatalogueCheck {
  /** The entries without a fault. */
  readonly models: readonly Model[];
  /** By line. With a fault among them the file would stop a start. */
  readonly findings: readonly Finding[];
}

/** Every fault and warning of a file, those of its YAML and of a missing file included. Throws for none of them. */
export function checkCatalogue(file: string): CatalogueCheck {
  try {
    const { entries, findings } = readEntries(parseCatalogue(readCatalogueText(file), file), file);
    return {
      models: entries.map(({ model }) => model),
      findings: byLine([...findings, ...serviceWarnings(entries, file)]),
    };
  } catch (error) {
    if (!(error instanceof CatalogueError)) throw error;
    return { models: [], findings: byLine(error.faults) };
  }
}

/** What a start and a reload say of a catalogue in force: oddities of its file, and models that nobody serves. */
export function warningsOf({ warnings, entries, file }: ModelCatalogue): string[] {
  return [...warnings, ...serviceWarnings(entries, file).map(describeFinding)];
}

function byLine(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
