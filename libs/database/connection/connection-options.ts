import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ConnectionOptions } from 'node:tls';
import { Client } from 'pg';
import { type DatabaseAddress, parseDatabaseUrl } from '#config';
import { DatabaseStartError } from './connection-fault';
import { type DatabaseClientConfig } from './database-client';

/** How long it may take to open a connection. */
export const CONNECT_MS = 5000;

/**
 * What DatabaseClient needs to connect to the address in a URL. Everybody who connects uses this, because node-postgres gives the
 * modes of sslmode other meanings than libpq.
 * @throws DatabaseStartError for a URL or a file that cannot be used
 */
export function connectionOptions(url: string): DatabaseClientConfig {
  const address = parseDatabaseUrl(url);
  if (typeof address === 'string') throw new DatabaseStartError(`The address of the database ${address}`);
  const { host, port, user, password, database, options, applicationName } = address;
  return {
    host,
    port,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    ...(options !== undefined && { options }),
    application_name: applicationName ?? 'tenkey',
    connectionTimeoutMillis: CONNECT_MS,
    ssl: tlsOf(address),
    fallsBack: address.sslMode === 'prefer',
  };
}

/** The database of an address, and where it is: for texts that people read. */
export function placeOf(url: string): string {
  const address = parseDatabaseUrl(url);
  if (typeof address === 'string') return 'the database';
  const { host, port, user, database } = address;
  // node-postgres chooses the database of an address without one.
  const chosen = new Client({
    ssl: false,
    ...(user !== undefined && { user }),
    ...(database !== undefined && { database }),
  });
  return `database "${chosen.database ?? ''}" at ${host.startsWith('/') ? host : `${host}:${port}`}`;
}

function tlsOf({ host, sslMode, sslRootCert, sslCert, sslKey }: DatabaseAddress): false | ConnectionOptions {
  // As with libpq, a socket of this machine is never encrypted.
  if (sslMode === 'disable' || host.startsWith('/')) return false;
  const ca =
    sslRootCert === undefined || sslRootCert === 'system' ? undefined : contentOf(sslRootCert, 'sslrootcert');
  const files = {
    ...(ca !== undefined && { ca }),
    ...(sslCert !== undefined && { cert: contentOf(sslCert, 'sslcert') }),
    ...(sslKey !== undefined && { key: contentOf(sslKey, 'sslkey') }),
  };
  requireUsable(files);
  // As with libpq, require checks the certificate if there is something to check it against.
  const isChecked = sslMode.startsWith('verify') || (sslMode === 'require' && sslRootCert !== undefined);
  if (!isChecked) return { ...files, rejectUnauthorized: false };
  const isNameChecked = sslMode === 'verify-full' || sslRootCert === 'system';
  return isNameChecked ? files : { ...files, checkServerIdentity: () => undefined };
}

/** @throws DatabaseStartError that does not contain the path, in whose place a secret may have been set */
function contentOf(path: string, parameter: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DatabaseStartError(
      `The file of ${parameter} in the address of the database cannot be read (${code}). Set ${parameter} to the path of a PEM file.`,
    );
  }
}

function requireUsable({ ca, cert, key }: { ca?: string; cert?: string; key?: string }): void {
  if (ca !== undefined && certificateOf(ca) === undefined) {
    throw new DatabaseStartError(
      'The file of sslrootcert in the address of the database has no certificate. Set sslrootcert to a PEM file with the certificate of the CA.',
    );
  }
  if (cert !== undefined && !fits(cert, key)) {
    throw new DatabaseStartError(
      'The files of sslcert and sslkey in the address of the database do not fit each other. Set sslcert to a PEM file with a certificate, and sslkey to one with its key, not encrypted.',
    );
  }
}

function certificateOf(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}

function fits(cert: string, key = ''): boolean {
  try {
    return certificateOf(cert)?.checkPrivateKey(createPrivateKey(key)) === true;
  } catch {
    return false;
  }
}
