import { linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { generateKey } from '#crypto';
import { providers } from '#providers';

/** Variables as text, read by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

export function isBlank(value: string | undefined): boolean {
  return value === undefined || value.trim() === '';
}

/**
 * The process's variables over those of `.env`: a real variable wins, also an empty one.
 *
 * In strict mode the global keys that stand in `.env` are dropped while it is read, so that no object of the process
 * ever holds them.
 */
export function readEnvironment(processEnv: Environment, directory: string): Environment {
  const file = readEnvFile(join(directory, '.env'));
  const merged = new Proxy(file, {
    get: (target, name: string) => (name in processEnv ? processEnv[name] : target[name]),
    has: (target, name) => name in processEnv || name in target,
  });
  const strict = !/^(false|0|no|off)$/i.test((merged.TENANT_CREDENTIALS_ENABLED ?? '').trim());
  const optedIn = /^(true|1|yes|on)$/i.test((merged.LEGACY_MODELS_USE_GLOBAL_KEYS ?? '').trim());
  if (strict && !optedIn) {
    for (const provider of providers) {
      const name = provider.globalVariables.apiKey;
      if (name in file) file[name] = undefined;
    }
  }
  return merged;
}

function readEnvFile(path: string): Record<string, string | undefined> {
  try {
    return parse(readFileSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/**
 * Writes `.env` with generated secrets, mode 0600, at a first development start. An existing file is never touched:
 * the finished text is linked into place, so that of two starts at once one wins and both read the same.
 * @returns true when this call made the file
 */
export function generateEnvFile(directory: string): boolean {
  const path = join(directory, '.env');
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const text = [
    '# Generated at the first start. Keep it: without ENCRYPTION_KEY stored credentials cannot be read.',
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
