import { stringify } from 'yaml';
import { removeKeyShapes } from '#crypto';
import { type DeclarableKind, declaredProvider, type Provider } from '#providers';
import { declaredIdOf } from '../declared-id';

const none: ReadonlySet<string> = new Set();

/** The providers that the model catalogue declares, and those that it must declare for what is imported. */
export class DeclaredProviders {
  /** By id, with underscores for hyphens: ids that differ only in those would have the same variables. */
  readonly #byId: Map<string, Provider>;
  readonly #byName = new Map<string, Provider>();
  readonly #used = new Set<Provider>();

  constructor(private readonly ofCatalogue: readonly Provider[]) {
    this.#byId = new Map(ofCatalogue.map((provider) => [provider.id.replaceAll('-', '_'), provider]));
  }

  /**
   * The provider for a server of this name. All tenants whose server has the name share it, because the address is in their
   * credentials. One of the same id and kind in the catalogue is used as it is.
   * @param number counts the servers of one tenant whose names make the same id
   */
  providerOf(kind: DeclarableKind, givenName: string, number = 1): Provider {
    // A key that was entered as the name must not become an id.
    const name = removeKeyShapes(givenName);
    const key = `${kind} ${declaredIdOf(name, none)} ${number}`;
    const known = this.#byName.get(key);
    if (known) return known;
    const assigned = new Set(this.#byName.values());
    const taken = [...this.#byId.values()].filter((each) => each.kind !== kind || assigned.has(each));
    const id = declaredIdOf(
      name,
      taken.map((each) => each.id),
    );
    const provider = this.#byId.get(id) ?? declaredProvider({ id, kind, label: labelOf(name) ?? id });
    this.#byId.set(id, provider);
    this.#byName.set(key, provider);
    return provider;
  }

  /** Notes that a tenant has a credential for the provider. */
  use(provider: Provider): void {
    this.#used.add(provider);
  }

  /** The providers in use that the catalogue lacks. */
  get missing(): Provider[] {
    const declared = new Set(this.ofCatalogue);
    return [...this.#byName.values()].filter((each) => this.#used.has(each) && !declared.has(each));
  }

  /** The section of a catalogue that declares those that it lacks. */
  get yaml(): string {
    return stringify({
      providers: this.missing.map(({ id, kind, label }) => ({ id, kind, ...(label !== id && { label }) })),
    });
  }
}

/** The name as a label, if the catalogue accepts it as one. */
function labelOf(name: string): string | undefined {
  const label = name.trim();
  return label.length <= 100 && label !== '' && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(label)
    ? label
    : undefined;
}
