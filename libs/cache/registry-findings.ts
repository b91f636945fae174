import { setTimeout as sleep } from 'node:timers/promises';
import { type DataSource } from 'typeorm';
import { fault, type Finding, warning } from '#database';
import { NEWEST_SEAL_FORM, readAbilities, silentAfterMs } from './registry';

const LOOK_MS = 50;

interface Registered {
  readonly id: string;
  readonly lease_ms: number;
  readonly renewals: string;
  readonly since: string;
}

/** Checks the registered processes. It looks until each has renewed its registration, or should have. */
export async function registryFindings(
  dataSource: DataSource,
  sealingKeyId: string | undefined,
): Promise<{ processes: number; findings: Finding[] }> {
  const first = await read(dataSource);
  const started = performance.now();
  let silent = first;
  while (silent.some((each) => performance.now() - started < silentAfterMs(each.lease_ms))) {
    await sleep(LOOK_MS);
    const now = await read(dataSource);
    silent = silent.filter((each) =>
      now.some(({ id, renewals }) => id === each.id && renewals === each.renewals),
    );
  }
  const { hasHead, abilities } = await dataSource.transaction(async (transaction) => {
    const rows = await transaction.query<object[]>('select 1 from change_head where id = 1');
    return { hasHead: rows.length > 0, abilities: await readAbilities(transaction) };
  });
  const findings = silent.map(({ id, since }) =>
    warning(
      `process ${id}, registered ${since}, does not renew its registration: it was killed, hangs, or comes from a restored backup`,
      'The next change waits for its lease and removes it; nothing else is needed.',
    ),
  );
  if (!hasHead) {
    findings.push(
      fault(
        'the row of change_head is missing, so no change can be stored',
        'insert into change_head (id, number) values (1, (extract(epoch from now()) * 1000)::bigint); then restart every process.',
      ),
    );
  }
  // A process that was killed lacks nothing.
  const running = abilities.filter(({ id }) => silent.every((each) => each.id !== id));
  const ofAll = (count: number) => `${count} of ${running.length} registered processes`;
  const older = running.filter(({ sealForm }) => sealForm < NEWEST_SEAL_FORM).length;
  if (older > 0) {
    findings.push(
      warning(
        `${ofAll(older)} ${older === 1 ? 'runs' : 'run'} an earlier version, which knows only older seals`,
        'Start this version in every process.',
      ),
    );
  }
  const lacking = running.filter(
    ({ encryptionKeyIds }) => sealingKeyId !== undefined && !encryptionKeyIds.includes(sealingKeyId),
  ).length;
  if (lacking > 0) {
    findings.push(
      fault(
        `${ofAll(lacking)} ${lacking === 1 ? 'lacks' : 'lack'} the encryption key that seals (fingerprint ${sealingKeyId}), and cannot open what is sealed under it`,
        'Start every process with that key in ENCRYPTION_KEY or ENCRYPTION_KEY_PREVIOUS.',
      ),
    );
  }
  return { processes: abilities.length, findings };
}

/** Each read sees the renewals until then, so it is a transaction of its own. */
function read(dataSource: DataSource): Promise<Registered[]> {
  return dataSource.transaction((transaction) =>
    transaction.query<Registered[]>(
      `select id, lease_ms, renewals::text, to_char(registered_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as since
       from registered_processes order by registered_at`,
    ),
  );
}
