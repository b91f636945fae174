import { FernetService, generateKey, Secret } from '#crypto';
import { type Result } from '../../../apps/cli/doctor/check';
import { encryptionKey } from '../app';

type Env = Readonly<Record<string, string | undefined>>;

/** One fault, how it is planted and undone, and how the doctor must report it. */
export interface Plant {
  readonly title: string;
  readonly sql?: readonly string[];
  readonly undo?: readonly string[];
  readonly env?: Env | ((where: { readonly folder: string; readonly databaseUrl: string }) => Env);
  /** Files in the folder of the service, with their modes. */
  readonly files?: Record<string, { text: string; mode: number }>;
  readonly clockMs?: number;
  readonly check: string;
  readonly status: Result['status'];
  readonly text: string | RegExp;
  /** A part of the fix, where it is a statement. */
  readonly fix?: string;
}

/** The lease of a planted process whose registration the spec renews while the doctor looks, as a running process does. */
export const RENEWING_MS = 200;

/** An encryption key that the installation does not have. */
export const otherKey = generateKey();
const idOf = (key: string) => new FernetService({ current: new Secret(key), previous: [] }).ownKeyId!;
export const [keyId, otherKeyId] = [idOf(encryptionKey), idOf(otherKey)];

/** The statements that change a table, and those that give it its rows back. */
export const changed = (table: string, change: string) => ({
  sql: [copyOf(table), change],
  undo: restored(table),
});
export const copyOf = (table: string) => `create table saved as table ${table}`;
export const restored = (table: string) => [
  `delete from ${table}`,
  `insert into ${table} table saved`,
  'drop table saved',
];
