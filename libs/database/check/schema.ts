import { type EntityManager } from 'typeorm';
import { schema } from '../migrations/schema';
import { fault, type Finding, warning } from './finding';

/** The definition of each part of a schema, by kind and name, such as `trigger tenants_changed on tenants`. */
export type Schema = Readonly<Record<string, string>>;

/** The tables that the migrations of this version create, but for that of the migrations. */
export const ownTables: readonly string[] = [
  ...new Set(Object.keys(schema).flatMap((part) => /^column (\w+)\./.exec(part)?.slice(1) ?? [])),
];

/** The parts of a schema that the rules of Tenkey rely on. */
export async function readSchema(manager: EntityManager): Promise<Schema> {
  const rows = await manager.query<{ part: string; definition: string }[]>(
    `with relations as (
       select c.oid, c.relname, c.relkind from pg_class c
       where c.relnamespace = current_schema()::regnamespace and c.relname not in ('migrations', 'migrations_id_seq')
     ), tables as (select oid, relname from relations where relkind = 'r')
     select 'sequence ' || relname as part, 'create sequence ' || relname as definition
     from relations where relkind = 'S'
     union all
     select 'column ' || t.relname || '.' || a.attname,
       format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end
         || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
     from tables t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
       left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
     union all
     select 'constraint ' || n.conname || ' on ' || t.relname,
       'alter table ' || t.relname || ' add constraint ' || n.conname || ' ' || pg_get_constraintdef(n.oid)
     from tables t join pg_constraint n on n.conrelid = t.oid and n.contype in ('p', 'u', 'f', 'c')
     union all
     select 'index ' || i.relname, pg_get_indexdef(x.indexrelid)
     from tables t join pg_index x on x.indrelid = t.oid and x.indisvalid join pg_class i on i.oid = x.indexrelid
     where not exists (select 1 from pg_constraint n where n.conindid = x.indexrelid and n.contype in ('p', 'u'))
     union all
     select 'trigger ' || g.tgname || ' on ' || t.relname, pg_get_triggerdef(g.oid)
     from tables t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
     union all
     select 'rule ' || r.rulename || ' on ' || t.relname, pg_get_ruledef(r.oid)
     from tables t join pg_rewrite r on r.ev_class = t.oid
     union all
     select 'function ' || p.proname, pg_get_functiondef(p.oid)
     from pg_proc p join pg_language l on l.oid = p.prolang and l.lanname in ('plpgsql', 'sql')
     where p.pronamespace = current_schema()::regnamespace and p.prokind = 'f'
       and not exists (select 1 from pg_depend where objid = p.oid and deptype = 'e')
     order by 1`,
  );
  const [here] = await manager.query<{ schema: string }[]>('select quote_ident(current_schema()) as schema');
  return Object.fromEntries(
    rows.map(({ part, definition }) => [part, definition.replaceAll(`${here?.schema}.`, '')]),
  );
}

/** Compares the schema with what the migrations of this version create. */
export async function schemaFindings(manager: EntityManager): Promise<Finding[]> {
  const found = await readSchema(manager);
  const different = Object.entries(schema).flatMap(([part, definition]) => {
    if (found[part] === definition) return [];
    const [kind, name] = part.split(' ');
    const state =
      found[part] === undefined
        ? kind === 'index'
          ? 'is missing or invalid'
          : 'is missing'
        : 'is not as the migrations made it';
    // A changed function can be replaced by the same statement; anything else has to be dropped first.
    const fix = definition.includes('\n')
      ? `Run the statement that libs/database/migrations/schema.ts has for ${kind} ${name}.`
      : kind === 'column'
        ? `Restore the column as ${definition}.`
        : `${found[part] === undefined ? '' : 'Drop it, and then run: '}${definition};`;
    return [fault(`${part} ${state}${consequenceOf(part)}`, fix)];
  });
  const tables = new Set(ownTables);
  const foreign = Object.keys(found).flatMap((part) => {
    const [, kind, name, table = ''] = /^(trigger|rule) (.+) on (\w+)$/.exec(part) ?? [];
    if (kind === undefined || part in schema || !tables.has(table)) return [];
    return [
      warning(
        `${part} is not one of Tenkey's, and may change or copy what Tenkey stores`,
        `Find out who made it. drop ${kind} ${name} on ${table}; removes it.`,
      ),
    ];
  });
  return [...different, ...foreign, ...(await switchedOff(manager, tables))];
}

/** Triggers that exist and are switched off, also those with which PostgreSQL enforces foreign keys. */
async function switchedOff(manager: EntityManager, tables: ReadonlySet<string>): Promise<Finding[]> {
  const rows = await manager.query<{ table: string; name: string; internal: boolean }[]>(
    `select distinct c.relname as table, case when g.tgisinternal then '' else g.tgname end as name,
       g.tgisinternal as internal
     from pg_trigger g join pg_class c on c.oid = g.tgrelid
     where c.relnamespace = current_schema()::regnamespace and c.relname = any($1) and g.tgenabled in ('D', 'R')
     order by 1, 2`,
    [[...tables]],
  );
  return rows.map(({ table, name, internal }) =>
    internal
      ? fault(
          `the foreign keys of ${table} are not enforced, because their triggers are disabled`,
          `As a superuser run: alter table ${table} enable trigger all;`,
        )
      : fault(
          `trigger ${name} on ${table} is disabled${consequenceOf(`trigger ${name}`)}`,
          `alter table ${table} enable trigger ${name};`,
        ),
  );
}

/** What no longer holds without the part of the schema, where its name does not say it. */
function consequenceOf(part: string): string {
  if (/^(trigger|function) audit|refuse_change_of_audit/.test(part)) {
    return ', so audit events may have been changed; npx tenkey audit verify shows that';
  }
  if (/refuse_change_of_usage|usage_records_are/.test(part)) return ', so usage records can be changed';
  if (/^trigger|note_cached_change|announce_change/.test(part)) {
    return ', so processes may go on with rows that were changed or deleted';
  }
  if (/^constraint/.test(part)) return ', so rows can be stored that belong to no tenant or exist twice';
  return '';
}

/** How many rows each table has, but for that of the migrations. */
export async function countRows(manager: EntityManager): Promise<Map<string, number>> {
  const tables = await manager.query<{ name: string; quoted: string }[]>(
    `select relname as name, quote_ident(relname) as quoted from pg_class
     where relnamespace = current_schema()::regnamespace and relkind = 'r' and relname <> 'migrations' order by 1`,
  );
  const counts = new Map<string, number>();
  for (const { name, quoted } of tables) {
    const [row] = await manager.query<{ count: number }[]>(`select count(*)::float8 as count from ${quoted}`);
    counts.set(name, row?.count ?? 0);
  }
  return counts;
}
