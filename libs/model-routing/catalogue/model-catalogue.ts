import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Problem } from '#http';
import { type ProviderRegistry } from '#providers';
import { parseCatalogue } from './catalogue-document';
import { type CatalogueEntry, readEntries } from './catalogue-entries';
import { CatalogueError, didYouMean, type Finding } from './catalogue-finding';
import { readCatalogueText } from './catalogue-text';
import { type Model } from './model';
import { routingWarnings } from './routing-warnings';

const maxNameWarnings = 10;

/** The names of the models that a reload changed, in the order of the files. */
export interface CatalogueChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** The contents of one file. */
interface Contents {
  readonly byName: ReadonlyMap<string, Model>;
  readonly entries: readonly CatalogueEntry[];
  readonly findings: readonly Finding[];
  readonly file: string;
  readonly digest: string;
  /** When this text was read first. */
  readonly since: Date;
}

/** The model catalogue. It is loaded and replaced as a whole or not at all. */
export class ModelCatalogue {
  /** Why the current file is not in force. The models of an earlier version then are. */
  fault?: CatalogueError;

  /** The providers of the catalogue in force. It is the same object after a reload. */
  readonly providers: ProviderRegistry;

  private constructor(
    private contents: Contents,
    providers: ProviderRegistry,
  ) {
    this.providers = providers;
  }

  /** @throws CatalogueError with every fault */
  static load(file: string): ModelCatalogue {
    return ModelCatalogue.parse(readCatalogueText(file), file);
  }

  /** @throws CatalogueError with every fault */
  static parse(text: string, file: string): ModelCatalogue {
    const { providers, entries, findings } = readEntries(parseCatalogue(text, file), file);
    const faults = findings.filter(({ severity }) => severity === 'fault');
    if (faults.length > 0) {
      const warnings = findings.filter(({ severity }) => severity === 'warning');
      throw new CatalogueError(faults, [...warnings, ...routingWarnings(entries, file)]);
    }
    const byName = new Map(entries.map(({ model }) => [model.name, model]));
    const digest = createHash('sha256').update(text).digest('hex');
    return new ModelCatalogue({ byName, entries, findings, file, digest, since: new Date() }, providers);
  }

  /** Warnings about the file. They do not keep Tenkey from starting. */
  get findings(): readonly Finding[] {
    return this.contents.findings;
  }

  /** The SHA-256 of the text in force, in hexadecimal. */
  get digest(): string {
    return this.contents.digest;
  }

  /** Since when the text is in force in this process. */
  get since(): Date {
    return this.contents.since;
  }

  get file(): string {
    return this.contents.file;
  }

  /** The models with their lines. */
  get entries(): readonly CatalogueEntry[] {
    return this.contents.entries;
  }

  all(): Model[] {
    return [...this.contents.byName.values()];
  }

  /** @returns undefined when the catalogue no longer has it, or never had it */
  get(name: string): Model | undefined {
    return this.contents.byName.get(name);
  }

  /** @throws Problem model_not_found */
  find(name: string): Model {
    const model = this.get(name);
    if (model) return model;
    throw new Problem('model_not_found', {
      detail: 'The catalogue has no model with this name.',
      hint: 'GET /v1/models lists the names.',
      param: 'model',
    });
  }

  /** A warning for each name that no model has; the last one counts those beyond the first few. */
  warningsOfNames(names: readonly string[]): string[] {
    const { byName } = this.contents;
    const unknown = names.filter((name) => !byName.has(name));
    const warnings = unknown
      .slice(0, maxNameWarnings)
      .map(
        (name) =>
          `${name} is not in the model catalogue, so no call can name it${didYouMean(name, byName.keys())}`,
      );
    const more = unknown.length - warnings.length;
    return more > 0 ? [...warnings, `${more} more names are not in the model catalogue`] : warnings;
  }

  /** Puts another catalogue's models and providers in force in one step. A running call keeps the Model that it found. */
  replaceWith(next: ModelCatalogue): CatalogueChange {
    const [before, after] = [this.contents.byName, next.contents.byName];
    const change = {
      added: [...after.keys()].filter((name) => !before.has(name)),
      removed: [...before.keys()].filter((name) => !after.has(name)),
      changed: [...after].flatMap(([name, model]) => {
        const old = before.get(name);
        return old && !isDeepStrictEqual(old, model) ? [name] : [];
      }),
    };
    // A file that was repaired to what it was before has been in force all the time.
    const isSame = next.digest === this.digest;
    this.contents = isSame ? { ...next.contents, since: this.since } : next.contents;
    this.providers.replaceWith(next.providers);
    this.fault = undefined;
    return change;
  }
}
