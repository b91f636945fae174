import { type Environment, isOwnSecret } from '#config';
import { type ConfigFile, fieldsAt, type Placed } from './config';

/** A text of the configuration, after its variables were replaced. */
export interface Resolved {
  /** Absent when a variable is not set. */
  readonly text?: string;
  /** What is wrong with it, as the rest of a sentence; names variables, and never a value. */
  readonly fault?: string;
}

const nameForm = /^[A-Za-z_][A-Za-z0-9_]*$/;
const reference = /^os\.environ\/(.*)$/s;

/**
 * The variables that `os.environ/NAME` and `${NAME}` mean: those of the environment, and for others the configuration's own
 * `environment_variables`.
 */
export class Variables {
  readonly #used = new Set<string>();
  readonly #contradicted = new Set<string>();
  readonly #own: ReadonlyMap<string, Placed>;

  constructor(
    private readonly environment: Environment,
    files: readonly ConfigFile[],
  ) {
    const section = 'environment_variables';
    this.#own = new Map(files.flatMap((file) => [...fieldsAt(file, [section], file.root[section])]));
  }

  /** Those of `environment_variables` that no text has named. */
  get unused(): [string, Placed][] {
    return [...this.#own].filter(([name]) => !this.#used.has(name));
  }

  /** Those whose value in the environment is another one. */
  get contradicted(): [string, Placed][] {
    return [...this.#own].filter(([name]) => this.#contradicted.has(name));
  }

  /** The first of these variables that is set. */
  firstSet(names: readonly string[]): string | undefined {
    return names.find((name) => this.#read(name) !== undefined);
  }

  resolve(written: string): Resolved {
    const name = reference.exec(written.trim())?.[1];
    if (name !== undefined) return nameForm.test(name) ? this.#named(name) : { fault: badName };
    const missing: string[] = [];
    let hasBadName = false;
    const text = written.replaceAll(/\$\{([^}]*)\}/g, (_, each: string) => {
      if (!nameForm.test(each)) hasBadName = true;
      else {
        const value = this.#read(each);
        if (value !== undefined) return value;
        missing.push(each);
      }
      return '';
    });
    if (hasBadName) return { fault: badName };
    return missing.length > 0 ? { fault: notSet(missing) } : { text };
  }

  #named(name: string): Resolved {
    const text = this.#read(name);
    return text === undefined ? { fault: notSet([name]) } : { text };
  }

  #read(name: string): string | undefined {
    const own = this.#ownValue(name);
    const value = this.#ofEnvironment(name);
    if (value === undefined && own === undefined) return undefined;
    this.#used.add(name);
    if (value !== undefined && own !== undefined && value !== own) this.#contradicted.add(name);
    return value ?? own;
  }

  #ownValue(name: string): string | undefined {
    const own = this.#own.get(name)?.value;
    if (typeof own !== 'string' && typeof own !== 'number') return undefined;
    const other = reference.exec(String(own))?.[1];
    if (other !== undefined) return this.#ofEnvironment(other);
    return String(own).trim() === '' ? undefined : String(own);
  }

  /** A secret of Tenkey itself counts as not set: it must not be sent to a provider, or written into the catalogue. */
  #ofEnvironment(name: string): string | undefined {
    if (isOwnSecret(name)) return undefined;
    const value = this.environment[name];
    return value === undefined || value.trim() === '' ? undefined : value;
  }
}

const badName = 'has os.environ/ or ${...} without the name of a variable';

/** The variables that are not set, as the rest of a sentence. */
export function notSet(names: readonly string[]): string {
  const own = names.filter(isOwnSecret);
  if (own.length > 0)
    return `names ${own.join(', ')}, a secret of Tenkey itself, which no provider may receive`;
  const listed = [...new Set(names)].join(' or ');
  return `needs the variable ${listed}, which is not set; set it for this command, or in .env`;
}
