import { type EntityManager, IsNull, Not } from 'typeorm';
import { addFinding, fault, type Finding, warning } from '#database';
import { type AddressPolicy, whatAllows } from '#egress';
import { credentialsPath, tenantPath } from '#http';
import { Tenant } from '#tenants';
import { countOlderSeals } from '../rotation/resealing';
import { credentialTables, tableOf } from '../rotation/sealed-tables';
import { readSealingState } from '../encryption/sealing-key';
import { VerificationRun } from '../overview/verification-run.entity';
import { rollbackCutoff } from '../rows/provider-slots';

/** The sweep of previous credentials runs every hour. */
const SWEPT_AFTER_HOURS = 2;

interface Place {
  readonly tenant_id: string;
  readonly provider: string;
  readonly slot: string;
}

const describe = ({ tenant_id: tenantId, provider, slot }: Place): string =>
  `tenant ${tenantId}, ${provider}, ${slot}`;

/**
 * Checks what the rows of the slots say about each other. The seal of each row is another check.
 * @param rollbackHours how long previous credentials are kept; undefined: that is not checked
 */
export async function slotFindings(manager: EntityManager, rollbackHours?: number): Promise<Finding[]> {
  const all = credentialTables
    .map(
      ({ entity, slot }) =>
        `select tenant_id, provider, ${slot} as slot, version from ${tableOf(manager, entity)}`,
    )
    .join(' union all ');
  const twice = await manager.query<(Place & { version: string })[]>(
    `select tenant_id, provider, slot, version::text from (${all}) stored
     where version in (select version from (${all}) each group by version having count(*) > 1) order by version, 1, 2, 3`,
  );
  const expired =
    rollbackHours === undefined
      ? []
      : await manager.query<Place[]>(
          `select tenant_id, provider, slot from credential_slots where slot = 'previous' and replaced_at <= $1 order by 1, 2`,
          [rollbackCutoff(rollbackHours + SWEPT_AFTER_HOURS)],
        );
  const findings: Finding[] = [];
  for (const [version, places] of byVersion(twice)) {
    const finding = fault(
      `version ${version} is stored twice, so one row is a copy: ${places.map(describe).join('; ')}`,
      'Find out who wrote to the database, and set those credentials again.',
    );
    addFinding(findings, finding);
  }
  for (const place of expired) {
    const finding = warning(
      `${describe(place)}: kept longer than CREDENTIAL_ROLLBACK_HOURS`,
      'A running service deletes it within an hour; otherwise its log says why not.',
    );
    addFinding(findings, finding);
  }
  return [...findings, ...(await versionsUsedAgain(manager, all)), ...(await olderSeals(manager))];
}

function byVersion(places: readonly (Place & { version: string })[]): Map<string, Place[]> {
  const groups = new Map<string, Place[]>();
  for (const place of places) {
    const group = groups.get(place.version);
    if (group === undefined) groups.set(place.version, [place]);
    else group.push(place);
  }
  return groups;
}

/** A version must never be used twice: receipts and usage records name credentials by it. */
async function versionsUsedAgain(manager: EntityManager, all: string): Promise<Finding[]> {
  const [row] = await manager.query<{ next: string; highest: string; isBehind: boolean }[]>(
    `select next::text, highest::text, next <= highest as "isBehind"
     from (select case when is_called then last_value + 1 else last_value end as next from credential_versions) of_sequence,
       (select coalesce(max(version), 0) as highest from (${all}) stored) of_rows`,
  );
  if (!row?.isBehind) return [];
  return [
    fault(
      `the next credential would get version ${row.next}, but version ${row.highest} is already stored`,
      `select setval('credential_versions', ${row.highest});`,
    ),
  ];
}

async function olderSeals(manager: EntityManager): Promise<Finding[]> {
  const state = await readSealingState(manager);
  const count = await countOlderSeals(manager);
  if (state === undefined || state.sealForm < 2 || count === 0) return [];
  return [
    warning(
      `${count} rows have seals of the first form, which fit in every slot`,
      'npx tenkey encryption rotate gives them seals of the newest form.',
    ),
  ];
}

/** How many credentials there are for each provider, in all slots. */
export async function countByProvider(manager: EntityManager): Promise<Map<string, number>> {
  const rows = await manager.query<{ provider: string; count: number }[]>(
    `select provider, count(*)::int as count from (${credentialTables
      .map(({ entity }) => `select provider from ${tableOf(manager, entity)}`)
      .join(' union all ')}) stored group by 1 order by 1`,
  );
  return new Map(rows.map(({ provider, count }) => [provider, count]));
}

/** Stored endpoints that the address policy refuses now. They are not named, because a secret may have been pasted into one. */
export async function endpointFindings(manager: EntityManager, policy: AddressPolicy): Promise<Finding[]> {
  const tenants = await manager.find(Tenant, {
    select: { id: true, egressAllow: true },
    where: { egressAllow: Not(IsNull()) },
  });
  const allowed = new Map(tenants.map(({ id, egressAllow }) => [id, egressAllow]));
  const rows = await manager.query<(Place & { endpoint: string })[]>(
    `${credentialTables
      .map(
        ({ entity, slot }) =>
          `select tenant_id, provider, ${slot} as slot, settings ->> 'endpoint' as endpoint
           from ${tableOf(manager, entity)} where jsonb_typeof(settings -> 'endpoint') = 'string'`,
      )
      .join(' union all ')} order by 1, 2, 3`,
  );
  const findings: Finding[] = [];
  for (const { endpoint, ...place } of rows) {
    const ofTenant = allowed.get(place.tenant_id);
    const reason = URL.canParse(endpoint) ? policy.checkHost(new URL(endpoint), ofTenant) : 'not a URL';
    if (reason === undefined) continue;
    const finding = warning(
      `${describe(place)}: its endpoint is ${reason}, so its calls are refused with endpoint_not_allowed`,
      `Set the credential with another endpoint. ${whatAllows(reason, `PATCH ${tenantPath(place.tenant_id)}`)}`,
    );
    addFinding(findings, finding);
  }
  return findings;
}

/** A verification of many credentials that somebody has paused. */
export async function verificationFindings(manager: EntityManager): Promise<Finding[]> {
  const run = await manager.findOneBy(VerificationRun, { id: 1 });
  if (run?.state !== 'paused') return [];
  return [
    warning(
      `a verification is paused: ${run.verified} of ${run.total} credentials are verified`,
      `POST ${credentialsPath}/verify?resume=true continues it.`,
    ),
  ];
}
