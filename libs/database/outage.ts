import { codeOf, tlsFaultOf } from './connection/connection-fault';

/** Why the database cannot be used, or stores nothing, in words for callers: they name no host, user or database. */
export interface Outage {
  /** A sentence. */
  readonly reason: string;
  /** What the operator can do about it, in a sentence. */
  readonly fix: string;
}

const DISK_FULL = '53100';
const READ_ONLY = '25006';

const byCode: Readonly<Record<string, Outage>> = {
  [DISK_FULL]: {
    reason: 'The disk of the database is full.',
    fix: 'Free or add space.',
  },
  [READ_ONLY]: {
    reason: 'The database is read-only.',
    fix: 'Connect Tenkey to the primary server, or switch off default_transaction_read_only.',
  },
  '53300': {
    reason: 'The database accepts no more connections.',
    fix: 'Raise max_connections, or the connection limit of the database or of its user.',
  },
  '55000': {
    reason: 'The database accepts no connections.',
    fix: 'Allow them again with alter database ... allow_connections true.',
  },
  '3D000': {
    reason: 'The database does not exist.',
    fix: 'Create or restore it, or correct its name in the settings.',
  },
};

/** @returns undefined for a database that is only away or busy, and for an error that has nothing to do with an outage */
export function outageOf(error: unknown): Outage | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const tlsFault = tlsFaultOf(error);
  if (tlsFault !== undefined) {
    return {
      reason: `No connection to the database can be made: ${tlsFault.reason}.`,
      fix: 'Correct its certificate, or the TLS parameters of its address; npx tenkey doctor says which.',
    };
  }
  const code = codeOf(error);
  if (code.startsWith('28')) {
    return {
      reason: 'The database refuses the login.',
      fix: 'Check its user and password in the settings, and pg_hba.conf of the server.',
    };
  }
  return byCode[code];
}

/** Whether nothing can be stored in a database that can be read. */
export function keepsFromStoring(error: unknown): boolean {
  return typeof error === 'object' && error !== null && [DISK_FULL, READ_ONLY].includes(codeOf(error));
}
