import { linkSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { generateKey } from '#crypto';
import { fixedProviders } from '#providers';
import { otherNames } from './settings/other-names';
import { type Setting } from './settings/setting';
import { settings } from './settings/settings';

/** Variables as text, read by name and never listed. */
export type Environment = Readonly<Record<string, string | undefined>>;

export function isBlank(value: string | undefined): boolean {
  return value === undefined || value.trim() === '';
}

/** All faults of the environment at once, each with its fix and without the value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly faults: readonly string[]) {
    super(`Tenkey cannot start:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

/**
 * The variables of the process, and those of `.env` for all others: a variable of the process wins even if it is empty. A
 * secret may be in a file that `<NAME>_FILE` names.
 *
 * Of the global keys in `.env` only the names are kept. A value is read from the file again when it is needed, which never
 * happens in strict mode.
 *
 * @throws ConfigError when a value of `.env` would be cut, or two names of one variable have different values
 */
export function readEnvironment(processEnv: Environment, directory: string): Environment {
  const env = withProcess(processEnv, join(directory, '.env'));
  const faults = Object.entries(otherNames)
    .filter(([other, ours]) => other in env && ours in env && env[other]?.trim() !== env[ours]?.trim())
    .map(
      ([other, ours]) => `${other} is another name of ${ours}, and they have different values. Remove one.`,
    );
  if (faults.length > 0) throw new ConfigError(faults);
  const otherByOurs = new Map(Object.entries(otherNames).map(([other, ours]) => [ours, other]));
  /** The other name, if only that one is set. */
  const nameOf = (name: string) => (name in env ? name : (otherByOurs.get(name) ?? name));
  const named = new Proxy(env, {
    get: (_, name: string) => env[nameOf(name)],
    has: (_, name: string) => nameOf(name) in env,
  });
  return withSecretFiles(named, (name) => ownSecrets.has(name) || isGlobalKey(name));
}

function withProcess(processEnv: Environment, path: string): Environment {
  const file = readEnvFile(path);
  for (const name of Object.keys(file)) {
    if (isBlank(file[name])) delete file[name];
    else if (isGlobalKey(name)) file[name] = undefined;
  }
  return new Proxy(file, {
    get: (target, name: string) => {
      if (name in processEnv) return processEnv[name];
      return isGlobalKey(name) && name in target ? readEnvFile(path)[name] : target[name];
    },
    // A blank value counts as not set, because a copied .env.example has every name.
    has: (target, name: string) => (name in processEnv ? !isBlank(processEnv[name]) : name in target),
  });
}

const fixedGlobalKeys = new Set(fixedProviders.map(({ globalVariables }) => globalVariables.apiKey));
const ownSecrets = new Set(
  Object.values<Setting>(settings)
    .filter(({ kind }) => kind.isSecret === true)
    .map(({ name }) => name),
);
const ownKeys = new Set([...Object.values(settings).map(({ name }) => name), ...Object.keys(otherNames)]);

/** Whether a variable is a secret of Tenkey or of its command line, such as ENCRYPTION_KEY, and not a provider's key. */
export function isOwnSecret(name: string): boolean {
  return name === 'TENKEY_KEY' || ownSecrets.has(otherNames[name] ?? name);
}

/** Which providers the catalogue declares is not known yet, so this is true for every key that is not one of Tenkey's own. */
function isGlobalKey(name: string): boolean {
  return fixedGlobalKeys.has(name) || (name.endsWith('_API_KEY') && !ownKeys.has(name));
}

/**
 * Adds the variables `<NAME>_FILE`, each of which names a file with the value of a secret, as Docker, Kubernetes and systemd
 * provide secrets. A file is read when the value of its variable is.
 * @param isSecret whether a variable can be given as a file
 * @returns an environment that throws a ConfigError for a file that cannot be read, and when both variables are set
 */
function withSecretFiles(env: Environment, isSecret: (name: string) => boolean): Environment {
  const pathOf = (name: string) => (isSecret(name) ? env[`${name}_FILE`]?.trim() : undefined);
  return new Proxy(env, {
    get: (_, name: string) => {
      const path = pathOf(name);
      if (isBlank(path) || path === undefined) return env[name];
      if (isBlank(env[name])) return textOf(path, name);
      throw new ConfigError([`${name} and ${name}_FILE are both set. Remove one.`]);
    },
    has: (_, name: string) => name in env || !isBlank(pathOf(name)),
  });
}

/** @throws ConfigError that does not contain the path, in whose place the secret itself may have been set */
function textOf(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? (error as Error).name;
    throw new ConfigError([
      `${name}_FILE must be the path of a file with the value of ${name}; that file cannot be read (${code}).`,
    ]);
  }
}

/** A file with secrets that other users of this machine can read. */
export interface ExposedFile {
  /** `.env`, or the variable that names the file. The path itself is not given, because a secret may have been set in its place. */
  readonly name: string;
  readonly readers: 'its group' | 'every user';
}

/** Which of the files with secrets can be read by other users: `.env`, and those that `<NAME>_FILE` names. */
export function exposedFiles(processEnv: Environment, directory: string): ExposedFile[] {
  if (process.platform === 'win32') return [];
  const envFile = join(directory, '.env');
  const env = withProcess(processEnv, envFile);
  const named = [...ownSecrets, ...fixedGlobalKeys].map(
    (name) => [`${name}_FILE`, env[`${name}_FILE`]] as const,
  );
  const hasSecret = Object.entries(readEnvFile(envFile)).some(
    ([name, value]) => !isBlank(value) && (ownSecrets.has(otherNames[name] ?? name) || isGlobalKey(name)),
  );
  return [['.env', hasSecret ? envFile : undefined] as const, ...named].flatMap(
    ([name, path]): ExposedFile[] => {
      const mode = isBlank(path) ? undefined : modeOf(path!.trim());
      if (mode === undefined || (mode & 0o044) === 0) return [];
      return [{ name, readers: (mode & 0o004) === 0 ? 'its group' : 'every user' }];
    },
  );
}

/** @returns undefined when there is no such file, or it cannot be reached; reading it then says why */
function modeOf(path: string): number | undefined {
  try {
    return statSync(path).mode;
  } catch {
    return undefined;
  }
}

/** A value in quotes, with nothing but blanks between it and what follows. */
const quoted = /"(?:\\"|[^"])*"|'(?:\\'|[^'])*'|`(?:\\`|[^`])*`/.source;

/**
 * A # that has no blank before it and is not inside quotes. dotenv ends the value there, also after a quote that is never closed. In
 * `NAME=value # note`, a note follows the value.
 */
const cutValue = new RegExp(
  String.raw`^[ \t]*(?:export[ \t]+)?([\w.-]+)(?:[ \t]*=|:[ \t])(?:[ \t]*(?!(?:${quoted})[ \t]*(?:#|$))[^\s#](?:[^\r\n#]*[^\s#])?)?#`,
  'gm',
);

function readEnvFile(path: string): Record<string, string | undefined> {
  try {
    const text = readFileSync(path, 'utf8');
    const faults = [...text.matchAll(cutValue)].map(
      ([, name]) => `${name} in .env has a # that begins a comment. Put the value in quotes: ${name}="..."`,
    );
    if (faults.length > 0) throw new ConfigError(faults);
    return parse(text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/**
 * Writes `.env` with generated secrets, mode 0600, at the first start in development. It never changes an existing file:
 * the finished text is linked into place, so if two processes start at once, one wins and both read the same file.
 * @returns true when this call made the file
 */
export function generateEnvFile(directory: string): boolean {
  const path = join(directory, '.env');
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const text = [
    '# Generated at the first start. Keep it: without ENCRYPTION_KEY the stored credentials cannot be read.',
    `INTRIC_SUPER_API_KEY=${randomBytes(32).toString('hex')}`,
    `PLATFORM_API_KEY=${randomBytes(32).toString('hex')}`,
    `ENCRYPTION_KEY=${generateKey()}`,
    'TENANT_CREDENTIALS_ENABLED=true',
    '',
  ].join('\n');
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}
