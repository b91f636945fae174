import { resolve } from 'node:path';
import { Secret } from '#crypto';
import { cutEndpoint, faultOfEndpoint } from '#providers';
import { isAddressOrRange } from '../addresses/addresses';
import { databaseUrlOf, parseDatabaseUrl } from '../addresses/database-address';
import { type AllowRule, parseAllowList, ruleForm } from '../addresses/allow-list';
import { encryptionKeyRule, faultOfEncryptionKey, faultOfKey, keyRule } from './weak-keys';

/** How the text of a variable becomes a value. */
export interface Kind<T> {
  /** What the text must be, as a fault says it after the variable's name. Absent: every text is valid. */
  readonly rule?: string;
  /** True when the value is a `Secret`, or a list of them. */
  readonly isSecret?: true;
  /**
   * @param text trimmed, and never from a variable that is not set
   * @param refuse is called with each fault, as the rest of a sentence that begins with the variable's name; without an
   * argument the fault is the rule. It never receives the text.
   * @returns a value that the caller discards if the text was refused
   */
  parse(text: string, refuse: Refuse): T;
}

export type Refuse = (reason?: string) => void;

export const text: Kind<string> = { parse: (value) => value };

export const folder: Kind<string> = { parse: (path) => resolve(path) };

export const flag: Kind<boolean> = {
  rule: 'must be true or false.',
  parse(value, refuse) {
    const isTrue = ['true', '1', 'yes', 'on'].includes(value.toLowerCase());
    if (!isTrue && !['false', '0', 'no', 'off'].includes(value.toLowerCase())) refuse();
    return isTrue;
  },
};

export function whole(least: number, most: number): Kind<number> {
  return {
    rule: `must be a whole number from ${least} to ${most}.`,
    parse(value, refuse) {
      const number = Number(value);
      if (!Number.isInteger(number) || number < least || number > most) refuse();
      return number;
    },
  };
}

export const share: Kind<number> = {
  rule: 'must be a number from 0 to 1.',
  parse(value, refuse) {
    const number = Number(value);
    if (!(number >= 0 && number <= 1)) refuse();
    return number;
  },
};

export function oneOf<const T extends string>(values: readonly T[]): Kind<T> {
  return {
    rule: `must be one of ${values.join(', ')}.`,
    parse(value, refuse) {
      if (!(values as readonly string[]).includes(value)) refuse();
      return value as T;
    },
  };
}

export const postgresUrl: Kind<Secret> = {
  isSecret: true,
  parse(url, refuse) {
    const address = parseDatabaseUrl(url);
    if (typeof address === 'string') refuse(address);
    return new Secret(url);
  },
};

export const anySecret: Kind<Secret> = { isSecret: true, parse: (value) => new Secret(value) };

/** The host of a database, or the folder of its socket. */
export const databaseHost: Kind<string> = {
  parse(host, refuse) {
    const rest = { port: 5432, name: 'name', user: 'user', password: undefined, parameters: undefined };
    const address = parseDatabaseUrl(databaseUrlOf({ host, ...rest }));
    if (typeof address === 'string') refuse(address);
    return host;
  },
};

/** The parameters of a database's address, as in the query of a URL. */
export const databaseParameters: Kind<string> = {
  parse(query, refuse) {
    const address = parseDatabaseUrl(`postgres://host/name?${query}`);
    if (typeof address === 'string') refuse(address);
    return query;
  },
};

export const baseUrl: Kind<string> = {
  rule: 'must be an http or https URL without user name, password, query and fragment.',
  parse(text, refuse) {
    const value = cutEndpoint(text)?.endpoint ?? text;
    if (faultOfEndpoint(value) !== undefined) refuse();
    return value;
  },
};

export const publicUrl: Kind<string> = {
  rule: 'must be an http or https URL without user name, password, query and fragment, e.g. `https://platform.example/tenkey`.',
  parse(text, refuse) {
    if (faultOfEndpoint(text) !== undefined) refuse();
    return text.replace(/\/+$/, '');
  },
};

/** This value of EGRESS_PROXY means that HTTPS_PROXY, HTTP_PROXY and ALL_PROXY name the proxies. */
export const FROM_ENVIRONMENT = 'environment';

/** @returns undefined unless the text is the URL of an http or https proxy, or `host:port` alone */
export function urlOfProxy(text: string): URL | undefined {
  const full = /^[\w.-]+:\d{1,5}\/?$/.test(text) ? `http://${text}` : text;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  const isProxy = url !== undefined && /^https?:$/.test(url.protocol) && url.hostname !== '';
  if (!isProxy || url.pathname !== '/' || url.search !== '' || url.hash !== '') return undefined;
  return isDecodable(url.username) && isDecodable(url.password) ? url : undefined;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

export const proxyUrl: Kind<Secret> = {
  rule: 'must be the http or https URL of a proxy, e.g. `http://proxy.example:3128`. A user name and password go between `http://` and the host, as in `user:password@proxy.example:3128`, with special characters percent-encoded. SOCKS is not supported.',
  isSecret: true,
  parse(text, refuse) {
    if (urlOfProxy(text) === undefined) refuse();
    return new Secret(text);
  },
};

export const egressProxy: Kind<Secret> = {
  ...proxyUrl,
  rule: proxyUrl.rule?.replace('must be', `must be \`${FROM_ENVIRONMENT}\`, or`),
  parse: (text, refuse) => (text === FROM_ENVIRONMENT ? new Secret(text) : proxyUrl.parse(text, refuse)),
};

/** Keys that clients send to us; several, so that one can be replaced while clients still send the other. */
export const apiKeys: Kind<readonly Secret[]> = {
  rule: keyRule,
  isSecret: true,
  parse: (list, refuse) => entriesOf(list).map((key) => secretOf(key, faultOfKey, refuse)),
};

export const encryptionKey: Kind<Secret> = {
  rule: encryptionKeyRule,
  isSecret: true,
  // Python accepts standard base64 too. It is the same key, and Fernet's own form is the URL-safe one.
  parse: (key, refuse) =>
    secretOf(key.replaceAll('+', '-').replaceAll('/', '_'), faultOfEncryptionKey, refuse),
};

export const encryptionKeys: Kind<readonly Secret[]> = {
  ...encryptionKey,
  parse: (list, refuse) => entriesOf(list).map((key) => encryptionKey.parse(key, refuse)),
};

export const addressesAndRanges: Kind<readonly string[]> = {
  rule: 'must be addresses or CIDR ranges, comma-separated, e.g. `10.1.2.3,10.2.0.0/16`. A range of all addresses is refused, because every client could then choose the address that the audit records.',
  parse(list, refuse) {
    const entries = entriesOf(list);
    if (!entries.every(isAddressOrRange)) refuse();
    return entries;
  },
};

export const allowList: Kind<readonly AllowRule[]> = {
  rule: `must have entries of the form ${ruleForm}`,
  parse: parseAllowList,
};

function secretOf(key: string, faultOf: (key: string) => string | undefined, refuse: Refuse): Secret {
  const fault = faultOf(key);
  if (fault !== undefined) refuse(fault);
  return new Secret(key);
}

function entriesOf(list: string): string[] {
  const entries = list.split(',').map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '');
}
