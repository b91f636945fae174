import { type DeclarableKind, type Provider } from '#providers';
import { declaredIdOf } from '../declared-id';
import { type Place } from './config';
import { type ConfigKey, type Connection } from './connections';
import { declarableKindOf, prefixOf } from './targets';

/** A provider that the catalogue is to declare. */
export interface Declaration {
  readonly id: string;
  readonly kind: DeclarableKind;
  readonly label: string;
  readonly endpoint: string;
}

/** A credential of the configuration. All models with one connection share it. */
export interface PlannedCredential {
  /** The id of a provider that is built in or declared. */
  readonly providerId: string;
  /** The body of its PUT, without the key. */
  readonly settings: Readonly<Record<string, string>>;
  readonly key: ConfigKey;
  /** Where the key is written, or else the first model that uses it. */
  readonly place: Place;
  /** The name of the first model that uses it. */
  readonly model: string;
}

interface Assigned {
  /** What comes before the model in `litellm_model_name`. */
  readonly prefix: string;
  /** True for the first model with this connection. */
  readonly isNew: boolean;
  readonly warning?: string;
}

const maxLabelLength = 100;

/**
 * Gives each connection a provider: the first one of a provider has the provider that is built in, and each further one is
 * declared, because a tenant has one credential for each provider.
 */
export class ProviderPlan {
  readonly declarations: Declaration[] = [];
  readonly credentials: PlannedCredential[] = [];
  readonly #prefixes = new Map<string, string>();

  /**
   * @param name a name for the provider, if it must be declared
   * @returns the reason, as the rest of a sentence, if no provider can be declared
   */
  assign(connection: Connection, model: string, name: string, place: Place): Assigned | { reason: string } {
    const { provider, endpoint, settings, key } = connection;
    const identity = `${provider.id} ${connection.identity}`;
    const known = this.#prefixes.get(identity);
    if (known !== undefined) return { prefix: known, isNew: false };
    const ofAzure = provider.id === 'azure' && { deployment_name: connection.upstreamModel };
    const credential = { settings: { ...settings, ...ofAzure }, key, place, model };
    if (this.#canBeBuiltIn(provider, endpoint)) {
      const fields = { ...(endpoint !== undefined && { endpoint }), ...credential.settings };
      this.credentials.push({ ...credential, providerId: provider.id, settings: fields });
      const prefix = prefixOf(provider);
      this.#prefixes.set(identity, prefix);
      return { prefix, isNew: true };
    }
    const kind = declarableKindOf(provider);
    if (kind === undefined) return { reason: cannotBeDeclared(provider, endpoint) };
    if (settings.organization !== undefined) {
      return {
        reason: `needs a second ${provider.label} credential with an organization, and a provider that is declared has no organization`,
      };
    }
    const id = declaredIdOf(
      name,
      this.declarations.map((each) => each.id),
    );
    const address = endpoint ?? provider.defaultEndpoint!;
    const label = `${provider.label}, ${new URL(address).host}`.slice(0, maxLabelLength);
    this.declarations.push({ id, kind, label, endpoint: address });
    this.credentials.push({ ...credential, providerId: id });
    this.#prefixes.set(identity, id);
    const isOfKind = provider.id === kind;
    const warning = `is called through the provider ${id}, as any OpenAI-compatible server is, without what Tenkey knows about ${provider.label}`;
    return { prefix: id, isNew: true, ...(!isOfKind && { warning }) };
  }

  #canBeBuiltIn({ id, fields }: Provider, endpoint: string | undefined): boolean {
    if (this.credentials.some(({ providerId }) => providerId === id)) return false;
    return endpoint === undefined || fields.some(({ name }) => name === 'endpoint');
  }
}

function cannotBeDeclared({ label, baseUrlVariables }: Provider, endpoint: string | undefined): string {
  return endpoint === undefined
    ? `needs a second ${label} credential, and a tenant has one for each provider; use one key for all models of ${label}`
    : `has an address of its own, which a credential for ${label} cannot have; if all models of ${label} have it, remove api_base and set ${baseUrlVariables[0]} for Tenkey`;
}
