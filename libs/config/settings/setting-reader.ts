import { ConfigError, type Environment, isBlank } from '../environment';
import { combinations } from './combinations';
import { type Setting } from './setting';
import { settings, type SettingValues } from './settings';

type Parsed<T> = Pick<Setting<T>, 'name' | 'kind' | 'fix'>;

/** Reads settings from an environment, and collects every fault. */
export class SettingReader {
  readonly #env: Environment;
  readonly #faults = new Map<string, string[]>();

  constructor(env: Environment) {
    this.#env = env;
  }

  /** The text of a variable; undefined if it is not set or blank, or if its file cannot be read, which is a fault. */
  text(name: string): string | undefined {
    try {
      const text = this.#env[name];
      return isBlank(text) ? undefined : text?.trim();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#faults.set(name, [...error.faults]);
      return undefined;
    }
  }

  /** The value of a variable; undefined if it is not set, or refused. */
  value<T>(setting: Parsed<T>): T | undefined {
    const text = this.text(setting.name);
    if (text === undefined) return undefined;
    const value = setting.kind.parse(text, (reason) => this.#refuse(setting, reason));
    return this.#faults.has(setting.name) ? undefined : value;
  }

  /** The value of every setting of the table; a refused one has its default. */
  values(): SettingValues {
    const isProduction = this.value(settings.isProduction);
    const entries = Object.entries<Setting>(settings)
      .filter(([, setting]) => setting.isTestOnly !== true)
      .map(([field, setting]) => {
        const text = (isProduction ? setting.productionDefault : undefined) ?? setting.default;
        const byDefault = text === undefined ? undefined : setting.kind.parse(text, refuseDefault);
        return [field, this.value(setting) ?? byDefault];
      });
    const values = Object.fromEntries(entries) as SettingValues;
    for (const { field, isFault, reason } of combinations) {
      const { name } = settings[field];
      if (this.#faults.has(name) || !isFault(values)) continue;
      const because = isBlank(this.#env[`${name}_FILE`]) ? '' : `, because the file of ${name}_FILE is empty`;
      this.#refuse(settings[field], reason.replace(/^is not set/, `$&${because}`));
    }
    return values;
  }

  faults(): string[] {
    return [...this.#faults.values()].flat();
  }

  #refuse({ name, kind, fix }: Parsed<unknown>, reason = kind.rule): void {
    const fault = [name, reason, fix].filter((part) => part !== undefined).join(' ');
    this.#faults.set(name, [...(this.#faults.get(name) ?? []), fault]);
  }
}

function refuseDefault(reason?: string): never {
  throw new Error(`a default breaks its own rule: ${reason}`);
}
