import { checkedBody, type CredentialFields, type CredentialSettings, settingsOf } from '#credentials';
import { checkedFields, type FieldFault, isTypoOf, uuidPattern } from '#http';
import { CreateTenantKeyRequest } from '#issued-keys';
import { CatalogueError, parseCatalogue } from '#model-routing';
import { type Provider, type ProviderRegistry } from '#providers';
import { fieldsOfProviders, UpdateTenantRequest } from '#tenants';
import { Refusal } from '../command-line';
import { type ApiKeySources, apiKeyFields, type TenantsFileText } from './api-key-sources';

/** A credential as the file describes it: completely, except that it may leave the key as it is. */
export interface DesiredCredential extends CredentialSettings {
  readonly provider: Provider;
  readonly apiKey?: CredentialFields['apiKey'];
  readonly line: number;
}

/** A tenant key as the file describes it: completely, but for the key itself. */
export interface DesiredKey {
  readonly id?: string;
  readonly policy: CreateTenantKeyRequest;
  readonly line: number;
}

/** A tenant as the file describes it. What is undefined here stays as it is. */
export interface DesiredTenant {
  readonly id?: string;
  readonly name: string;
  readonly fields: UpdateTenantRequest;
  readonly credentials?: readonly DesiredCredential[];
  readonly keys?: readonly DesiredKey[];
  readonly line: number;
}

type Path = readonly (string | number)[];
/** Adds a fault. */
type Report = (line: number, reason: string) => void;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads what a tenants file describes.
 * @throws Refusal with a line for each fault. None of them repeats a value of the file.
 */
export function readTenants(
  { text, name }: TenantsFileText,
  providers: ProviderRegistry,
  apiKeys: ApiKeySources,
): DesiredTenant[] {
  const document = parsed(text, name);
  const faults: { line: number; reason: string }[] = [];
  const report: Report = (line, reason) => void faults.push({ line, reason });
  const reader = new TenantsReader(providers, apiKeys, report, document.lineOf);
  const tenants = reader.tenantsOf(document.root);
  if (faults.length === 0) return tenants;
  const lines = faults
    .sort((a, b) => a.line - b.line)
    .map(({ line, reason }) => `${name}:${line}: ${reason}`);
  throw new Refusal(`the file is not valid, so nothing was changed:\n${[...new Set(lines)].join('\n')}`);
}

function parsed(text: string, name: string) {
  try {
    return parseCatalogue(text, name);
  } catch (error) {
    if (!(error instanceof CatalogueError)) throw error;
    throw new Refusal(`the file is not valid, so nothing was changed:\n${error.message}`);
  }
}

class TenantsReader {
  constructor(
    private readonly providers: ProviderRegistry,
    private readonly apiKeys: ApiKeySources,
    private readonly addFault: Report,
    private readonly lineOf: (path: Path, field?: string) => number,
  ) {}

  tenantsOf(root: unknown): DesiredTenant[] {
    const fields = isObject(root) ? root : {};
    if ('sops' in fields) {
      this.report([], 'this file is encrypted. Run the command with `sops exec-file`, which decrypts it');
      return [];
    }
    this.refuseUnknown(
      Object.keys(fields).filter((name) => name !== 'tenants'),
      [],
      [],
    );
    if (!Array.isArray(fields.tenants)) {
      this.report([], 'the file must have a list `tenants`');
      return [];
    }
    const tenants = fields.tenants.flatMap((each: unknown, index) => this.tenantOf(each, ['tenants', index]));
    this.refuseRepeated(tenants, (tenant) => tenant.name, 'another tenant of this file has the same name');
    this.refuseRepeated(tenants, (tenant) => tenant.id, 'another tenant of this file has the same id');
    return tenants;
  }

  private tenantOf(value: unknown, path: Path): DesiredTenant[] {
    if (!isObject(value)) {
      this.report(path, 'a tenant must be a map of fields');
      return [];
    }
    const { id, credentials, keys, ...rest } = value;
    const [[fields], misspelt, faults, unknown] = checkedFields<[UpdateTenantRequest]>(
      rest,
      UpdateTenantRequest,
    );
    this.reportAll(path, faults);
    this.refuseUnknown(unknown, misspelt, path);
    if (typeof value.name !== 'string') this.report(path, 'a tenant must have a name');
    if (id !== undefined && (typeof id !== 'string' || !uuidPattern.test(id))) {
      this.report(path, 'id must be a UUID', 'id');
    }
    for (const field of fieldsOfProviders) {
      if (!fields[field]?.some((each) => this.providers.find(each) === undefined)) continue;
      const known = this.providers.all.map((each) => each.id).join(', ');
      this.report(path, `${field} must each be one of ${known}`, field);
    }
    return [
      {
        ...(typeof id === 'string' && { id: id.toLowerCase() }),
        name: fields.name ?? '',
        fields,
        ...(credentials !== undefined && { credentials: this.credentialsOf(credentials, path) }),
        ...(keys !== undefined && { keys: this.keysOf(keys, path) }),
        line: this.lineOf(path),
      },
    ];
  }

  private credentialsOf(value: unknown, path: Path): DesiredCredential[] {
    if (!isObject(value)) {
      this.report(path, 'credentials must be a map of provider ids; `{}` for none', 'credentials');
      return [];
    }
    return Object.entries(value).flatMap(([id, body]) =>
      this.credentialOf(this.providers.find(id), body, [...path, 'credentials', id]),
    );
  }

  private credentialOf(provider: Provider | undefined, value: unknown, path: Path): DesiredCredential[] {
    if (provider === undefined) {
      const known = this.providers.all.map(({ id }) => id).join(', ');
      this.report(
        path,
        `the provider must be one of ${known}. The model catalogue can declare others under \`providers\``,
      );
      return [];
    }
    const given = value ?? {};
    if (!isObject(given)) {
      this.report(path, 'a credential must be a map of fields; `{}` for one without settings');
      return [];
    }
    const source = this.apiKeys.find(given);
    if ('fault' in source) this.report(path, source.fault, source.field);
    const settings = Object.fromEntries(
      Object.entries(given).filter(([name]) => !apiKeyFields.includes(name)),
    );
    const apiKey = 'apiKey' in source ? source.apiKey : undefined;
    const body = checkedBody(provider, { ...settings, ...(apiKey && { api_key: apiKey.expose() }) });
    this.reportAll(path, apiKey ? body.faults : body.faults.filter((fault) => fault.path !== 'api_key'));
    this.refuseUnknown(body.ignored, body.misspelt, path);
    const line = this.lineOf(path.slice(0, -1), provider.id);
    return [{ provider, ...settingsOf(provider, body), ...(apiKey && { apiKey }), line }];
  }

  private keysOf(value: unknown, path: Path): DesiredKey[] {
    if (!Array.isArray(value)) {
      this.report(path, 'keys must be a list; `[]` for none', 'keys');
      return [];
    }
    const keys = value.flatMap((each: unknown, index) => this.keyOf(each, [...path, 'keys', index]));
    const named = new Set(keys.filter(({ id }) => id === undefined).map(({ policy }) => policy.name));
    const twice = 'another key of this tenant has the same name; give the id of each';
    const nameIfUsed = ({ policy: { name } }: DesiredKey) => (named.has(name) ? name : undefined);
    this.refuseRepeated(keys, nameIfUsed, twice);
    this.refuseRepeated(keys, ({ id }) => id, 'another key of this tenant has the same id');
    return keys;
  }

  private keyOf(value: unknown, path: Path): DesiredKey[] {
    if (!isObject(value)) {
      this.report(path, 'a key must be a map of fields');
      return [];
    }
    const { id, ...rest } = value;
    const [[policy], misspelt, faults, unknown] = checkedFields<[CreateTenantKeyRequest]>(
      rest,
      CreateTenantKeyRequest,
    );
    this.reportAll(path, faults);
    this.refuseUnknown(unknown, misspelt, path);
    if (id !== undefined && typeof id !== 'string') this.report(path, 'id must be the id of a key', 'id');
    return [{ ...(typeof id === 'string' && { id }), policy, line: this.lineOf(path) }];
  }

  /** Adds a fault of the value at a path, or of one of its fields. */
  private report(path: Path, reason: string, field?: string): void {
    this.addFault(this.lineOf(path, field), reason);
  }

  private reportAll(path: Path, faults: readonly FieldFault[]): void {
    for (const fault of faults) this.report(path, fault.message, fault.path.split('.', 1)[0]);
  }

  /** @param misspelt the declared fields that an unknown one may be meant for */
  private refuseUnknown(names: readonly string[], misspelt: readonly FieldFault[], path: Path): void {
    for (const name of names) {
      const meant = misspelt.find((fault) => isTypoOf(fault.path, name));
      this.report(path, meant?.message ?? 'there is no such field', name);
    }
  }

  private refuseRepeated<T extends { readonly line: number }>(
    items: readonly T[],
    nameOf: (item: T) => string | undefined,
    reason: string,
  ): void {
    const seen = new Set<string>();
    for (const item of items) {
      const name = nameOf(item);
      if (name === undefined) continue;
      if (seen.has(name)) this.addFault(item.line, reason);
      seen.add(name);
    }
  }
}
