import { statfs } from 'node:fs/promises';
import { readAbilities } from '#cache';
import {
  type AddressNames,
  addressNames,
  CONNECTIONS_OF_A_PROCESS,
  fault,
  type Finding,
  findEmbeddedDatabase,
  migrationFindings,
  migrationState,
  OLDEST_SERVER,
  schemaFindings,
  serverFacts,
  type ServerFacts,
  warning,
} from '#database';
import { type Findings } from './check';
import { type DatabaseCheck } from './context';

const CLOCK_LIMIT_MS = 3000;
const FEW_BYTES = 1024 ** 3;
const FEWEST_BYTES = 100 * 1024 ** 2;

const facts = ({ dataSource }: Parameters<DatabaseCheck['run']>[0]) => dataSource.transaction(serverFacts);

/** The checks of the database server and of the schema, in their order. */
export const serverChecks: readonly DatabaseCheck[] = [
  {
    name: 'database',
    async run(context) {
      const server = await facts(context);
      const kind = context.config.databaseUrl === undefined ? 'embedded ' : '';
      return {
        text: `${kind}PostgreSQL ${server.version}, primary, ${server.size}`,
        findings: ofServer(server, addressNames(context.config.databaseSetting)),
      };
    },
  },
  {
    name: 'connection',
    async run(context) {
      const { isProduction, databaseSetting } = context.config;
      return ofConnection(await facts(context), addressNames(databaseSetting), isProduction);
    },
  },
  {
    name: 'clock',
    async run(context) {
      const { clockAheadMs } = await facts(context);
      const differenceMs = Math.abs(clockAheadMs);
      const text = `the clock of the database is ${differenceMs} ms ${clockAheadMs < 0 ? 'behind' : 'ahead of'} this machine's`;
      const fix = 'Let NTP, for example chrony, set both clocks.';
      return { text, findings: differenceMs > CLOCK_LIMIT_MS ? [warning(text, fix)] : [] };
    },
  },
  {
    name: 'disk',
    async run({ config }) {
      const folder = config.databaseUrl ? undefined : await findEmbeddedDatabase(config.dataDirectory);
      if (folder === undefined) return { text: 'SQL does not show the disk of the database server' };
      const { bavail, bsize } = await statfs(folder);
      return ofDisk(bavail * bsize);
    },
  },
  {
    name: 'migrations',
    needed: 'these checks need the schema of this version',
    async run({ dataSource }) {
      const state = await dataSource.transaction(migrationState);
      return {
        text: `all ${state.done.length} are done`,
        findings: migrationFindings(state),
      };
    },
  },
  {
    name: 'schema',
    async run({ dataSource }) {
      const findings = await dataSource.transaction(schemaFindings);
      return {
        text: 'triggers, functions, constraints and indexes are as the migrations made them',
        findings,
      };
    },
  },
  {
    name: 'connections',
    async run(context) {
      const { maximumConnections, connections } = await facts(context);
      const registered = await context.dataSource.transaction(readAbilities);
      return ofConnections(maximumConnections, connections, Math.max(1, registered.length));
    },
  },
];

/** Exported for its test, as the next one: a test has no old server, no replica and no network. */
export function ofConnection(
  { hasTls, isOverNetwork }: ServerFacts,
  { inParameters }: AddressNames,
  isProduction: boolean,
): Findings {
  if (hasTls) return { text: 'encrypted with TLS' };
  // A pooler may be in between, so this is not the machine of the doctor.
  if (!isOverNetwork) return { text: 'local, as the database server sees it' };
  if (!isProduction) return { text: 'not encrypted, and this is not production' };
  const finding = warning(
    'the connection to the database is not encrypted',
    `Set sslmode=require, or better sslmode=verify-full with sslrootcert, ${inParameters}.`,
  );
  return { text: '', findings: [finding] };
}

export function ofServer(server: ServerFacts, { host }: AddressNames): Finding[] {
  const findings: Finding[] = [];
  if (server.versionNumber < OLDEST_SERVER) {
    findings.push(
      fault(
        `PostgreSQL ${server.version} is too old`,
        `Upgrade the server to version ${OLDEST_SERVER / 10_000} or newer.`,
      ),
    );
  }
  if (server.isReplica) {
    findings.push(
      fault(
        'this server is a replica, or is being restored: it accepts no changes, and what it has may be out of date',
        `Set ${host} to that of the primary.`,
      ),
    );
  } else if (server.isReadOnly) {
    findings.push(
      fault(
        'the database or its user is set to read-only, so no change can be stored',
        'Find where with \\drds in psql, and run alter database or alter role ... reset default_transaction_read_only;',
      ),
    );
  }
  if (server.replicationRole !== 'origin') {
    findings.push(
      fault(
        `session_replication_role is ${server.replicationRole} for this database or its user, so no trigger and no foreign key works`,
        'Find where with \\drds in psql, and run alter database or alter role ... reset session_replication_role;',
      ),
    );
  }
  if (!server.isDurable) {
    findings.push(
      warning(
        'fsync or full_page_writes is off: a crash of the machine can lose or damage what was stored',
        'Switch both on in postgresql.conf.',
      ),
    );
  }
  return findings;
}

/** Exported for its test: a test cannot fill a disk. */
export function ofDisk(freeBytes: number) {
  const text = `${(freeBytes / 1024 ** 3).toFixed(1)} GiB are free for the embedded database`;
  const fix = 'Free or add space for TENKEY_DATA_DIR.';
  if (freeBytes < FEWEST_BYTES) return { text, findings: [fault(text, fix)] };
  return { text, findings: freeBytes < FEW_BYTES ? [warning(text, fix)] : [] };
}

function ofConnections(maximum: number, connections: number, processes: number) {
  const needed = processes * CONNECTIONS_OF_A_PROCESS;
  const text = `${connections} of ${maximum} are open; ${processes === 1 ? 'a process' : `${processes} processes`} may open ${needed}`;
  const fix =
    'Raise max_connections of the server, or the limit of the database or the user, unless a connection pooler shares connections.';
  if (needed > maximum) {
    // One process alone cannot work then; of several, some may share connections.
    const severity = CONNECTIONS_OF_A_PROCESS > maximum ? fault : warning;
    return { text, findings: [severity(`${text}, more than there are`, fix)] };
  }
  return { text, findings: connections > maximum * 0.9 ? [warning(text, fix)] : [] };
}
