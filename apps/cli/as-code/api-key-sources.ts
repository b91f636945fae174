import { fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isOwnSecret } from '#config';
import { Secret } from '#crypto';
import { Refusal } from '../command-line';
import { nameOfInput } from '../files';

/** The fields of a credential that say where its key is. */
export const apiKeyFields: readonly string[] = ['api_key', 'api_key_env', 'api_key_file'];

/** The text of a tenants file. */
export interface TenantsFileText {
  /** As it is shown in faults. */
  readonly name: string;
  readonly text: string;
  /** False when it was read from a pipe, which leaves no copy on a disk. */
  readonly isStored: boolean;
  /** Relative names of key files are relative to this folder. */
  readonly folder: string;
}

const maxBytes = 32 * 1024 * 1024;

/** @param path of a file or a named pipe; `-` is the standard input. @throws Error when it cannot be read, Refusal for its content */
export function readTenantsText(path: string): TenantsFileText {
  const name = nameOfInput(path);
  try {
    const descriptor = path === '-' ? 0 : openSync(path, 'r');
    const bytes = bytesOf(descriptor, name);
    const folder = path === '-' ? process.cwd() : dirname(resolve(path));
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { name, text, isStored: fstatSync(descriptor).isFile(), folder };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (error instanceof TypeError) throw new Refusal(`${name} is not UTF-8`);
    throw new Error(`${name} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

/** Reads no further than the limit: standard input may have no end. */
function bytesOf(descriptor: number, name: string): Buffer {
  const buffer = Buffer.alloc(64 * 1024);
  const parts: Buffer[] = [];
  for (let total = 0; ;) {
    const size = readSync(descriptor, buffer);
    if (size === 0) return Buffer.concat(parts);
    total += size;
    if (total > maxBytes) throw new Refusal(`${name} is larger than 32 MiB`);
    parts.push(Buffer.from(buffer.subarray(0, size)));
  }
}

/** What was found: the key, nothing, or why it cannot be used, with the field that is wrong. */
type Found = { readonly apiKey?: Secret } | { readonly fault: string; readonly field: string };

/** Finds the keys that a tenants file refers to. */
export class ApiKeySources {
  constructor(
    private readonly file: TenantsFileText,
    /** A variable of the environment or of .env. */
    private readonly variable: (name: string) => string | undefined,
  ) {}

  find(fields: Readonly<Record<string, unknown>>): Found {
    const given = apiKeyFields.filter((name) => fields[name] !== undefined && fields[name] !== null);
    const [field] = given;
    if (field === undefined) return {};
    if (given.length > 1) return { fault: `give only one of ${given.join(', ')}`, field };
    const value = fields[field];
    if (typeof value !== 'string' || value.trim() === '') return { fault: `${field} must be a text`, field };
    if (field === 'api_key_env') return this.ofVariable(value.trim());
    if (field === 'api_key_file') return this.ofFile(value.trim());
    if (!this.file.isStored) return { apiKey: new Secret(value.trim()) };
    const fault =
      'api_key is not accepted from a file on a disk. Use api_key_env or api_key_file, or encrypt the file with SOPS and run the command with `sops exec-file`';
    return { fault, field };
  }

  private ofVariable(name: string): Found {
    const field = 'api_key_env';
    // The text is not repeated: it may be the key itself.
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      return { fault: 'api_key_env must be the name of an environment variable', field };
    }
    if (isOwnSecret(name))
      return {
        fault: 'api_key_env names a secret of Tenkey itself; name the variable with the key of the provider',
        field,
      };
    const value = this.variable(name);
    if (value === undefined || value.trim() === '') {
      return { fault: 'the environment variable that api_key_env names is not set', field };
    }
    return { apiKey: new Secret(value.trim()) };
  }

  private ofFile(path: string): Found {
    try {
      return { apiKey: new Secret(readFileSync(resolve(this.file.folder, path), 'utf8').trim()) };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
      return { fault: `the file that api_key_file names cannot be read (${code})`, field: 'api_key_file' };
    }
  }
}
