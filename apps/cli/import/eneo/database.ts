import { addressNames, connectionOptions, DatabaseClient, DatabaseStartError, tlsFaultOf } from '#database';
import { Refusal } from '../../command-line';

/** In place of JSON that is larger than any credential, or is none. */
export const unreadable = Symbol('unreadable');

/** A row of `model_providers`. Its JSON may be anything. */
export interface EneoProvider {
  readonly name: string;
  readonly type: string;
  readonly credentials: unknown;
  readonly config: unknown;
  readonly isActive: boolean;
  readonly updatedAt: unknown;
}

export interface EneoTenant {
  readonly id: string;
  readonly name: string;
  readonly displayName: string | null;
  readonly state: string;
  readonly createdAt: unknown;
  /** The JSON of the column `api_credentials`; undefined without one. */
  readonly apiCredentials: unknown;
  /** Sorted by name. */
  readonly providers: readonly EneoProvider[];
  /** Whether there are more of them. */
  readonly hasMoreProviders: boolean;
}

/** An Eneo database, as it was when the command connected to it. */
export interface EneoDatabase {
  /** All tenants, in pages, so that any number of them fits in memory. Can be called again when it has ended. */
  pages(): AsyncGenerator<EneoTenant[]>;
}

const PAGE = 100;
const MAXIMUM_PROVIDERS = 200;
const MAXIMUM_JSON = 256 * 1024;
const STATEMENT_MS = 60_000;

/** The tables that are read, and the columns without which there is nothing to read. */
const tables = { tenants: 'tenants', providers: 'model_providers' } as const;
const required = {
  tenants: ['id', 'name'],
  providers: ['tenant_id', 'name', 'provider_type', 'credentials'],
};

/**
 * Calls `run` with a database that is only read, in one transaction that sees one moment.
 * @param url what node-postgres accepts; what it leaves out comes from PGPASSWORD and the other variables of PostgreSQL
 */
export async function withEneoDatabase<T>(
  url: string,
  run: (database: EneoDatabase) => Promise<T>,
): Promise<T> {
  const client = clientOf(url);
  // The next statement reports it as well.
  client.on('error', () => undefined);
  try {
    await asked(() => client.connect());
    await asked(() => client.query('begin transaction isolation level repeatable read read only'));
    await asked(() =>
      client.query(
        `set local statement_timeout = ${STATEMENT_MS}; set local idle_in_transaction_session_timeout = 0`,
      ),
    );
    const columns = await columnsOf(client);
    return await run({ pages: () => pagesOf(client, columns) });
  } finally {
    await client.end().catch(() => undefined);
  }
}

function clientOf(url: string): DatabaseClient {
  try {
    return new DatabaseClient({
      ...connectionOptions(url),
      application_name: 'tenkey import',
      connectionTimeoutMillis: 10_000,
      responseTimeoutMs: STATEMENT_MS + 5000,
    });
  } catch (error) {
    if (!(error instanceof DatabaseStartError)) throw error;
    throw new Refusal(error.message.replace('the database', 'the Eneo database'));
  }
}

/** The columns of each table; the table is missing if there are none. */
type Columns = Readonly<Record<keyof typeof tables, ReadonlySet<string>>>;

async function columnsOf(client: DatabaseClient): Promise<Columns> {
  const { rows } = await asked(() =>
    client.query<{ table_name: string; column_name: string }>(
      `select table_name, column_name from information_schema.columns
       where table_schema = any(current_schemas(false)) and table_name = any($1)`,
      [Object.values(tables)],
    ),
  );
  const ofTable = (name: string) =>
    new Set(rows.flatMap((row) => (row.table_name === name ? [row.column_name] : [])));
  const columns = { tenants: ofTable(tables.tenants), providers: ofTable(tables.providers) };
  const has = (table: keyof typeof tables) => required[table].every((name) => columns[table].has(name));
  if (!has('tenants') || !(columns.tenants.has('api_credentials') || has('providers'))) {
    throw new Refusal(
      `this is not an Eneo database, or its user may not read it: there is no table ${tables.tenants} with a column api_credentials, and no table ${tables.providers}`,
    );
  }
  return has('providers') ? columns : { ...columns, providers: new Set() };
}

async function* pagesOf(client: DatabaseClient, columns: Columns): AsyncGenerator<EneoTenant[]> {
  const column = (name: string) => (columns.tenants.has(name) ? name : 'null');
  const hasCredentials = columns.tenants.has('api_credentials');
  await asked(() =>
    client.query(
      `declare eneo no scroll cursor for
       select id::text, left(name::text, 1000) as name, left(${column('display_name')}::text, 1000) as display_name,
         left(${column('state')}::text, 100) as state, ${column('created_at')} as created_at,
         ${hasCredentials ? limited('api_credentials') : 'null'} as api_credentials
       from ${tables.tenants} order by id`,
    ),
  );
  for (;;) {
    const { rows } = await asked(() => client.query<TenantRow>(`fetch ${PAGE} from eneo`));
    const providers = await providersOf(client, columns, rows);
    yield rows.map((row) => {
      const all = providers.filter((each) => each.tenant_id === row.id);
      return {
        id: row.id,
        name: row.name ?? '',
        displayName: row.display_name,
        state: row.state ?? '',
        createdAt: row.created_at,
        apiCredentials: hasCredentials ? jsonOf(row.api_credentials) : undefined,
        providers: all.slice(0, MAXIMUM_PROVIDERS).map((each) => ({
          name: each.name ?? '',
          type: each.provider_type ?? '',
          credentials: jsonOf(each.credentials),
          config: jsonOf(each.config),
          isActive: each.is_active ?? true,
          updatedAt: each.updated_at,
        })),
        hasMoreProviders: all.length > MAXIMUM_PROVIDERS,
      };
    });
    if (rows.length < PAGE) break;
  }
  await asked(() => client.query('close eneo'));
}

interface TenantRow {
  readonly id: string;
  readonly name: string | null;
  readonly display_name: string | null;
  readonly state: string | null;
  readonly created_at: unknown;
  readonly api_credentials: string | null;
}

interface ProviderRow {
  readonly tenant_id: string;
  readonly name: string | null;
  readonly provider_type: string | null;
  readonly credentials: string | null;
  readonly config: string | null;
  readonly is_active: boolean | null;
  readonly updated_at: unknown;
}

async function providersOf(
  client: DatabaseClient,
  { providers: columns }: Columns,
  tenants: readonly TenantRow[],
): Promise<ProviderRow[]> {
  if (columns.size === 0 || tenants.length === 0) return [];
  const optional = (name: string, expression = name) =>
    `${columns.has(name) ? expression : 'null'} as ${name}`;
  const { rows } = await asked(() =>
    client.query<ProviderRow>(
      `select * from (
         select tenant_id::text, left(name::text, 1000) as name, left(provider_type::text, 100) as provider_type,
           ${limited('credentials')} as credentials, ${optional('config', limited('config'))},
           ${optional('is_active')}, ${optional('updated_at')},
           row_number() over (partition by tenant_id order by name) as place
         from ${tables.providers} where tenant_id = any($1::uuid[])) p
       where place <= $2 order by tenant_id, name`,
      [tenants.map(({ id }) => id), MAXIMUM_PROVIDERS + 1],
    ),
  );
  return rows;
}

/** The text of a JSON column; empty, which is no JSON, when it is too large. */
function limited(column: string): string {
  return `case when octet_length(${column}::text) > ${MAXIMUM_JSON} then '' else ${column}::text end`;
}

function jsonOf(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return unreadable;
  }
}

/**
 * Runs a statement. Its errors are reported in words of our own: those of the driver may contain a part of the URL, and a service of
 * Tenkey would take them for errors of its own database.
 */
async function asked<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const { code } = error as { code?: unknown };
    const tlsFault = tlsFaultOf(error);
    const reason =
      tlsFault === undefined
        ? reasonOf(typeof code === 'string' ? code : '')
        : `${tlsFault.reason}. ${tlsFault.fix(addressNames('the URL')).replace(/\.$/, '')}`;
    throw new EneoUnavailable(`the Eneo database cannot be read: ${reason}`);
  }
}

class EneoUnavailable extends Error {
  override readonly name = 'EneoUnavailable';
}

function reasonOf(code: string): string {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its host name cannot be resolved. Check the URL; special characters of the password must be percent-encoded (@ is %40)';
    case 'ECONNREFUSED':
    case 'ENOENT':
      return 'nothing accepts connections at its address. Check the host and the port in the URL';
    case '28P01':
    case '28000':
      return 'it refuses the user or the password. Check the user in the URL and PGPASSWORD';
    case '3D000':
      return 'the server has no database of this name. Check the end of the URL';
    case '42501':
      return 'the user may not read its tables. Grant it select on tenants and model_providers';
    default:
      return `the connection failed or was lost${code === '' ? '' : ` (${code})`}. What was imported stays; run the command again`;
  }
}
