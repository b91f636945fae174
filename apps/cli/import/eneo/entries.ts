import { removeKeyShapes } from '#crypto';
import {
  type DeclarableKind,
  declarableKinds,
  fixedProviders,
  type Provider,
  type ProviderRegistry,
} from '#providers';
import { declaredIdOf } from '../declared-id';
import { type DeclaredProviders } from './declared-providers';
import { type EneoProvider, type EneoTenant, unreadable } from './database';

/** What Eneo stores for one provider of a tenant. Its values may be anything. */
export interface EneoEntry {
  readonly provider: Provider;
  /** The name that the tenant gave to the provider; absent: none. */
  readonly name?: string;
  readonly credentials: unknown;
  readonly config: unknown;
  /** When the row was changed, for a key without a time of its own. */
  readonly updatedAt?: unknown;
}

/** Something that is not imported. */
export interface Skipped {
  /** What the plan shows as the provider. */
  readonly provider: string;
  readonly reason: string;
  /** skip: something is wrong with it. */
  readonly action: 'skip' | 'empty' | 'left out';
}

export interface TenantEntries {
  readonly entries: readonly EneoEntry[];
  readonly skipped: readonly Skipped[];
}

/** Which provider a row is for. */
interface RowType {
  readonly provider: Provider;
  /** The name of a server of OpenAI's format, which only the name tells apart from others. */
  readonly server?: string;
}

const none: ReadonlySet<string> = new Set();

/**
 * Says for each credential of a tenant which provider of Tenkey it is for. The rows of `model_providers` come first, and
 * `api_credentials` has what they lack.
 */
export function entriesOf(
  tenant: EneoTenant,
  registry: ProviderRegistry,
  declared: DeclaredProviders,
): TenantEntries {
  const entries: EneoEntry[] = [];
  const skipped: Skipped[] = [];
  const found = new Set<string>();
  const active = new Map<string, { type: RowType; rows: EneoProvider[] }>();
  for (const row of tenant.providers) {
    const skip = (reason: string, action: Skipped['action'] = 'skip') =>
      skipped.push({ provider: shownText(row.type), reason: `${shownText(row.name)}: ${reason}`, action });
    const type = typeOf(row, registry);
    if (type === undefined) {
      skip('its provider_type is none that Tenkey knows. The model catalogue can declare one');
      continue;
    }
    const key = keyOf(type);
    found.add(key);
    const group = active.get(key) ?? { type, rows: [] };
    active.set(key, group);
    if (row.isActive) group.rows.push(row);
    else skip('is not active in Eneo', 'left out');
  }
  for (const { type, rows } of active.values()) {
    skipped.push(...addRows(type, rows, declared, entries));
  }
  if (tenant.hasMoreProviders) {
    skipped.push({
      provider: 'model_providers',
      reason: 'has too many rows, and the last ones are not read',
      action: 'skip',
    });
  }
  readApiCredentials(tenant.apiCredentials, registry, declared, found, { entries, skipped });
  return { entries, skipped };
}

/**
 * Adds the active rows of one type. Each row of a kind that can be declared becomes a provider of its own; of other providers, a
 * tenant can have one credential.
 * @returns the rows that have no place
 */
function addRows(
  { provider, server }: RowType,
  rows: readonly EneoProvider[],
  declared: DeclaredProviders,
  entries: EneoEntry[],
): Skipped[] {
  const kind = server !== undefined || rows.length > 1 ? kindOf(provider) : undefined;
  if (kind !== undefined) {
    const numbers = new Map<string, number>();
    for (const row of rows) {
      const name = server ?? row.name;
      const stem = declaredIdOf(name, none);
      const number = (numbers.get(stem) ?? 0) + 1;
      numbers.set(stem, number);
      entries.push(entryOf(row, declared.providerOf(kind, name, number)));
    }
    return [];
  }
  const [newest, ...others] = [...rows].sort((a, b) => timeOf(b) - timeOf(a));
  if (newest) entries.push(entryOf(newest, provider));
  return others.map(({ name }) => ({
    provider: provider.id,
    reason: `${shownText(name)}: is active, but ${shownText(newest?.name ?? '')} was changed later, and a tenant has one credential for ${provider.label}`,
    action: 'skip',
  }));
}

function readApiCredentials(
  value: unknown,
  registry: ProviderRegistry,
  declared: DeclaredProviders,
  found: ReadonlySet<string>,
  { entries, skipped }: { entries: EneoEntry[]; skipped: Skipped[] },
): void {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const reason = value === unreadable ? 'is too large, or no JSON' : 'is not an object';
    skipped.push({ provider: 'api_credentials', reason, action: 'skip' });
    return;
  }
  for (const [name, credentials] of Object.entries(value)) {
    const skip = (reason: string, action: Skipped['action'] = 'skip') =>
      skipped.push({ provider: shownText(name), reason, action });
    const known = registry.find(name);
    const type: RowType | undefined = known
      ? { provider: known }
      : typeOf({ type: name, name, credentials, config: undefined }, registry);
    if (type === undefined) {
      skip('is no provider that Tenkey knows. The model catalogue can declare one');
      continue;
    }
    if (found.has(keyOf(type))) {
      skip('model_providers has this provider', 'left out');
      continue;
    }
    const provider =
      type.server === undefined ? type.provider : declared.providerOf('openai_compatible', type.server);
    entries.push({ provider, credentials, config: undefined });
  }
}

function entryOf({ name, credentials, config, updatedAt }: EneoProvider, provider: Provider): EneoEntry {
  return { provider, name, credentials, config, updatedAt };
}

/** `hosted_vllm` is the type of every server that LiteLLM calls in this way; the name or the host says which one it is. */
function typeOf(
  { type, name, credentials, config }: Pick<EneoProvider, 'type' | 'name' | 'credentials' | 'config'>,
  registry: ProviderRegistry,
): RowType | undefined {
  const id = type.trim().toLowerCase();
  const provider = id === 'hosted_vllm' ? openaiCompatible : (registry.ofPrefix(id) ?? registry.ofFamily(id));
  if (provider !== openaiCompatible) return provider && { provider };
  // `gdm`, `klang` and `infinity` are names of servers.
  if (isServerName(id)) return { provider, server: id };
  const words = name.trim().toLowerCase();
  if (id !== 'hosted_vllm' || isServerName(words)) return { provider, server: name };
  const host = hostOf(config) ?? hostOf(credentials) ?? '';
  const match = hosted.find((each) => words.includes(each)) ?? hosted.find((each) => host.includes(each));
  return match === undefined ? { provider, server: name } : { provider: registry.find(match)! };
}

const openaiCompatible = fixedProviders.find(({ id }) => id === 'openai_compatible')!;
/** The providers that Eneo calls as `hosted_vllm`. Their ids are in the names and the hosts. */
const hosted = ['vllm', 'berget'] as const;

function isServerName(name: string): boolean {
  return openaiCompatible.declarablePrefixes?.includes(name) ?? false;
}

function keyOf({ provider, server }: RowType): string {
  return server === undefined ? provider.id : declaredIdOf(server, none);
}

function kindOf({ id }: Provider): DeclarableKind | undefined {
  return declarableKinds.find((kind) => kind === id);
}

function hostOf(fields: unknown): string | undefined {
  const endpoint = (fields as { endpoint?: unknown } | null | undefined)?.endpoint;
  return typeof endpoint === 'string' && URL.canParse(endpoint) ? new URL(endpoint).hostname : undefined;
}

function timeOf({ updatedAt }: EneoProvider): number {
  return updatedAt instanceof Date ? updatedAt.getTime() : 0;
}

/** A text of another system, for the terminal: without control characters, and without a key that was entered as a name. */
export function shownText(text: string): string {
  const line = removeKeyShapes(text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '').trim());
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}
