import {
  checkedBody,
  type CredentialImportService,
  type ImportedCredential,
  validFields,
} from '#credentials';
import { type FernetService, Secret } from '#crypto';
import { isTime, Problem } from '#http';
import { type ProviderRegistry } from '#providers';
import { type Services } from '../../services';
import { unreadable } from './database';
import { type EneoEntry, shownText, type Skipped } from './entries';

/** What the credentials of Eneo are read with. */
export interface Reading {
  readonly services: Pick<Services, 'credentials' | 'imports' | 'fernet'>;
  readonly registry: ProviderRegistry;
  /** The encryption key of Eneo, if it is another one. */
  readonly oldKey?: FernetService;
}

/** A credential that can be imported, and what the plan says about it. */
export interface ReadCredential extends ImportedCredential {
  readonly notes: readonly string[];
}

/** Sent to a server that needs no key, because a credential always has one. Servers such as vLLM document this word. */
const NO_KEY = 'EMPTY';

/** Opens a key and checks the fields like the body of a PUT. */
export function readCredential(entry: EneoEntry, reading: Reading): ReadCredential | Skipped {
  const { provider, name } = entry;
  const title = name === undefined ? [] : [shownText(name)];
  const notes = [...title];
  const skipped = (reason: string, action: Skipped['action'] = 'skip'): Skipped => ({
    provider: provider.id,
    reason: [...title, reason].join(': '),
    action,
  });
  const fields = fieldsOf(entry);
  if (typeof fields === 'string') return skipped(fields);
  const { api_key: stored, set_at: setAt, encrypted_at: encryptedAt, ...settings } = fields;
  const key = openedKey(stored, reading);
  if ('fault' in key) return skipped(key.fault);
  let value: unknown = key.value;
  if (isBlank(value)) {
    if (!needsNoKey(entry, settings)) return skipped('the key is empty', 'empty');
    notes.push(`has no key in Eneo, so ${NO_KEY} is sent`);
    value = NO_KEY;
  }
  if (key.note !== undefined) notes.push(key.note);
  try {
    const body = checkedBody(provider, {
      ...settings,
      api_key: value instanceof Secret ? value.expose() : value,
    });
    const valid = validFields(reading.registry, provider, body);
    const { credentials } = reading.services;
    credentials.refuseEndpoint(valid.fields.settings);
    const ignored = valid.ignored.length > 0 ? `ignored: ${valid.ignored.join(', ')}` : undefined;
    const others = [valid.note, ignored, credentials.warningOf(provider, valid.fields.settings)];
    return {
      provider,
      fields: valid.fields,
      opened: key.opened,
      configuredAt: timeOf([setAt, encryptedAt, entry.updatedAt]),
      notes: [...notes, ...others.filter((each) => each !== undefined)],
    };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return skipped(reasonOf(error, provider.id));
  }
}

/** What a PUT would say about the fields, without the id of the provider, which the plan shows already. */
function reasonOf({ code, message, details: { errors = [], hint } }: Problem, providerId: string): string {
  const faults = errors.map((fault) => fault.message.replace(`${providerId}: `, '')).join('; ') || message;
  return code === 'endpoint_not_allowed' && hint !== undefined ? `${faults}. ${hint}` : faults;
}

/** The fields of an entry without blank ones, or what is wrong with it. What the credentials say comes before the configuration. */
function fieldsOf({ credentials, config }: EneoEntry): Record<string, unknown> | string {
  if (credentials === unreadable || config === unreadable) return 'is too large, or no JSON';
  // Early versions stored the key alone.
  const own = typeof credentials === 'string' ? { api_key: credentials } : credentials;
  const other = config ?? {};
  if (!isObject(own)) return 'is not an object with an api_key';
  if (!isObject(other)) return 'its config is not an object';
  const settings = Object.entries({ ...other, ...own }).filter(
    ([name, value]) => name === 'api_key' || !isBlank(value),
  );
  return Object.fromEntries(settings);
}

type Opened =
  | { readonly fault: string }
  | {
      /** The key, or whatever is in its place. */
      readonly value: unknown;
      readonly opened?: ReturnType<CredentialImportService['open']>;
      readonly note?: string;
    };

function openedKey(stored: unknown, { services: { imports, fernet }, oldKey }: Reading): Opened {
  if (typeof stored !== 'string' || stored.trim() === '') return { value: stored };
  const text = stored.trim();
  if (!fernet.isSealed(text)) {
    // A sealed text of another form must not be taken for a key.
    if (/^(enc:|gAAAA)/.test(text)) return { fault: 'the key is sealed in a form that is not known' };
    return { value: new Secret(stored), note: 'was stored in clear text' };
  }
  const opened = imports.open(text);
  if (opened) return { value: opened.apiKey, opened };
  const old = oldKey?.openWithAny(text);
  if (old) return { value: old.secret, note: 'was sealed under the old key' };
  return {
    fault: oldKey
      ? 'neither a loaded encryption key nor the old one opens it'
      : 'no loaded encryption key opens it. Give the encryption key of Eneo in --old-encryption-key-file',
  };
}

/** Whether the server may be one without keys: servers of these kinds have addresses of their own, and many take any key. */
function needsNoKey({ provider }: EneoEntry, { endpoint }: Record<string, unknown>): boolean {
  const kind: string = provider.kind ?? provider.id;
  return (kind === 'vllm' || kind === 'openai_compatible') && typeof endpoint === 'string';
}

function isBlank(value: unknown): boolean {
  const text = value instanceof Secret ? value.expose() : value;
  return text === undefined || text === null || (typeof text === 'string' && text.trim() === '');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first of them that is a time in the past. A text without a zone is in UTC, as Python's utcnow() writes it. */
export function timeOf(values: readonly unknown[]): Date | undefined {
  for (const value of values) {
    const text = typeof value === 'string' ? value.replace(' ', 'T') : '';
    const zoned = [text, `${text}Z`].find((each) => isTime(each, 'time'));
    const time = value instanceof Date ? value : zoned === undefined ? undefined : new Date(zoned);
    if (time !== undefined && time.getTime() > 0 && time.getTime() <= Date.now()) return time;
  }
  return undefined;
}
