import { createRequire } from 'node:module';
import { type DataSource } from 'typeorm';
import { auditFindings, AuditEvent, AuditLogService, newestEvent } from '#audit';
import { credentialEntities, keyFindings, loadFormerKeys, sealFindings, slotFindings } from '#credentials';
import { FernetService, type KeyRing } from '#crypto';
import {
  counted,
  countRows,
  fault,
  findEmbeddedDatabase,
  migrationFindings,
  migrationState,
  schemaFindings,
  serverFacts,
} from '#database';
import { Tenant } from '#tenants';
import { Refusal } from '../command-line';
import { atAddress, readingAt } from '../database';
import { type Check, failed, notRun, type Result, resultsOf } from '../doctor/check';

const { version } = createRequire(__filename)('#package.json') as { version: string };
const entities = [Tenant, ...credentialEntities, AuditEvent];

export interface RestoreOptions {
  /** Where the restored copy is: an address, or the folder of an embedded database. */
  readonly copy: { readonly url: string } | { readonly dataDirectory: string };
  readonly keys: KeyRing;
  /** The head of the audit that the copy must contain. */
  readonly head?: string;
  readonly progress: (check: string, done: string) => void;
}

/** Whether a restored copy is complete and can be used with these keys. Changes nothing in it. @throws Refusal */
export async function verifyRestored(options: RestoreOptions): Promise<Result[]> {
  const { copy } = options;
  const verify = (url: string) =>
    readingAt(url, entities, (dataSource) => resultsOf(checksOf(dataSource, options), 'the URL'), 'the URL');
  if ('dataDirectory' in copy && (await findEmbeddedDatabase(copy.dataDirectory)) === undefined) {
    throw new Refusal('there is no embedded database in the folder of --data-dir');
  }
  try {
    if ('url' in copy) return await verify(copy.url);
    return await atAddress({ databaseUrl: undefined, dataDirectory: copy.dataDirectory }, verify);
  } catch (error) {
    const [first, ...others] = checksOf(undefined as never, options);
    const result = failed(first!.name, error as Error, 'the URL');
    return [
      { ...result, fix: 'Check the address of the copy.' },
      ...notRun(others, 'these checks need the copy'),
    ];
  }
}

function checksOf(dataSource: DataSource, { keys, head, progress }: RestoreOptions): readonly Check[] {
  const fernet = new FernetService(keys);
  return [
    {
      name: 'database',
      async run() {
        const server = await dataSource.transaction(serverFacts);
        return { text: `PostgreSQL ${server.version}, ${server.size}` };
      },
    },
    {
      name: 'migrations',
      needed: 'these checks need the schema of this version',
      async run() {
        const state = await dataSource.transaction(migrationState);
        const { done, pending, deleted } = state;
        if (done.length === 0) {
          const fix = 'Restore the backup into it, and check that the address names the copy.';
          return { text: '', findings: [fault('nothing was restored: the database is empty', fix)] };
        }
        const isOlder = pending.length > 0 && deleted.length === 0;
        const findings = migrationFindings(state).map((finding) =>
          isOlder
            ? {
                ...finding,
                fix: `Tenkey ${version}, which this is, migrates it: run npx tenkey migrate with DATABASE_URL set to the copy, and verify it again.`,
              }
            : finding,
        );
        return { text: `all ${done.length} are done`, findings };
      },
    },
    {
      name: 'rows',
      async run() {
        const counts = await dataSource.transaction(countRows);
        const text = [...counts].map(([table, count]) => `${table} ${count}`).join(', ');
        const isEmpty = await dataSource.transaction(
          async (transaction) =>
            (await transaction.count(Tenant)) === 0 && (await newestEvent(transaction)) === undefined,
        );
        const finding = fault(
          'nothing was restored: there is neither a tenant nor an audit event',
          'Restore the data as well, not only the schema.',
        );
        return { text, findings: isEmpty ? [finding] : [] };
      },
    },
    {
      name: 'newest change',
      async run() {
        const event = await dataSource.transaction(newestEvent);
        return {
          text: event === undefined ? 'none' : `${event.at}, ${event.action} (audit event ${event.seq})`,
        };
      },
    },
    {
      name: 'schema',
      async run() {
        const findings = await dataSource.transaction(schemaFindings);
        return {
          text: 'triggers, functions, constraints and indexes are as the migrations made them',
          findings,
        };
      },
    },
    {
      name: 'encryption keys',
      async run() {
        const { sealingKeyId, formerKeys, findings } = await dataSource.transaction((transaction) =>
          keyFindings(transaction, fernet),
        );
        const sealing = sealingKeyId === undefined ? 'nothing is sealed' : `${sealingKeyId} seals`;
        return {
          text: `${sealing}; the signing keys of ${counted(formerKeys, 'former key')} open`,
          findings,
        };
      },
    },
    {
      name: 'credentials',
      async run() {
        const { rows, findings } = await dataSource.transaction((transaction) =>
          sealFindings(transaction, fernet, {
            opens: true,
            onPage: (read) => progress('credentials', `${read} opened`),
          }),
        );
        const { live, staged, previous } = rows;
        return { text: `each opens: ${live} live, ${staged} staged and ${previous} previous`, findings };
      },
    },
    {
      name: 'versions',
      async run() {
        const findings = await dataSource.transaction((transaction) => slotFindings(transaction));
        return { text: 'each is stored once, and the next one is a new one', findings };
      },
    },
    {
      name: 'audit',
      async run() {
        await dataSource.transaction((transaction) => loadFormerKeys(transaction, fernet));
        const { events, faults } = await new AuditLogService(dataSource, fernet).verify(head, (read) =>
          progress('audit', `${read} events read`),
        );
        const known = head === undefined ? '' : ', and has the given head';
        return {
          text: `the chain of ${counted(events, 'event')} is whole${known}`,
          findings: auditFindings(faults),
        };
      },
    },
  ];
}
