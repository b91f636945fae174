import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { AuditLogService } from '#audit';
import { NEWEST_SEAL_FORM, readAbilities } from '#cache';
import { FernetService } from '#crypto';
import { type ChangedBy } from '#http';
import { type CredentialStatus, type Slot, unusableStatuses } from '../credential';
import { storedRows } from '../rows/credential-rows';
import { CredentialSlot, TenantCredential } from '../rows/credentials.entity';
import { sealFor, slotOf } from '../rows/seal';
import { listedOf } from '../rows/stored-credential';
import { readSealingKey, type SealingKey, sealingKey } from '../encryption/sealing-key';

/** Rows in one transaction. More than 100 tenants in one would make every process drop all that it has cached. */
const BATCH = 100;

/** The tables whose rows hold a sealed key, and what tells rows of one tenant and provider apart in them. */
const sealedTables = [
  { entity: TenantCredential, slot: `'live'` },
  { entity: CredentialSlot, slot: 'slot' },
] as const;

/** A row that cannot be sealed again, because nothing can open it or nothing should. */
export interface RowFault {
  readonly tenantId: string;
  readonly provider: string;
  readonly slot: Slot;
  readonly status: CredentialStatus;
}

/** A row that is sealed under a key that is not loaded. */
export interface UnreadableRow {
  readonly tenantId: string;
  readonly provider: string;
  readonly slot: Slot;
  readonly keyId: string;
}

/** What one batch did. */
export interface RotatedBatch {
  readonly resealed: number;
  readonly faults: readonly RowFault[];
}

/** Where an encryption key is used. */
export interface KeyUse {
  readonly keyId: string;
  /** Whether new credentials are sealed under it. */
  readonly isSealing: boolean;
  /** Whether this process has it. */
  readonly isLoaded: boolean;
  readonly rows: Readonly<Record<Slot, number>>;
  /** How many of the registered processes have it. */
  readonly processes: number;
}

export interface EncryptionStatus {
  /** Those that seal rows or are loaded by a process; the sealing one first. */
  readonly keys: readonly KeyUse[];
  /** Rows whose seal has an older form. */
  readonly olderSeals: number;
  readonly processes: number;
}

interface RowKey {
  readonly tenant_id: string;
  readonly provider: string;
  readonly slot: Slot;
}

/** Seals stored credentials again under the key that seals, while calls and changes go on. */
@Injectable()
export class RotationService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly fernet: FernetService,
    private readonly audit: AuditLogService,
  ) {}

  /** How many rows `rotate` would seal again. */
  async outdated(): Promise<number> {
    const sealing = await readSealingKey(this.dataSource);
    if (sealing === undefined) return 0;
    let count = 0;
    for (const { entity } of sealedTables) {
      const [row] = await this.dataSource.query<{ count: number }[]>(
        `select count(*)::int as count from ${this.#table(entity)} where ${outdatedUnder(sealing)}`,
        [sealing.keyId],
      );
      count += row?.count ?? 0;
    }
    return count;
  }

  /**
   * Seals rows again in batches, each one transaction, until none is left that can be. It keeps versions. Interrupted at any
   * point, it can be run again; a row that is changed meanwhile keeps the change.
   * @throws Problem encryption_key_mismatch
   */
  async *rotate(by: ChangedBy): AsyncGenerator<RotatedBatch> {
    for (const table of sealedTables) {
      for (let after: RowKey | undefined; ;) {
        const keys = await this.#nextKeys(table, after);
        after = keys.at(-1);
        if (after === undefined) break;
        yield await this.dataSource.transaction((transaction) => this.#batch(transaction, table, keys, by));
      }
    }
    await this.dataSource.transaction((transaction) => this.#refuseOlderSeals(transaction, by));
  }

  async status(): Promise<EncryptionStatus> {
    return this.dataSource.transaction(async (transaction) => {
      const processes = await readAbilities((statement) => transaction.query(statement));
      const sealing = await readSealingKey(transaction);
      const rows = await transaction.query<
        { key_id: string; slot: Slot; is_older: boolean; count: number }[]
      >(
        sealedTables
          .map(
            ({ entity, slot }) =>
              `select key_id, ${slot} as slot, seal not like '${newestForm}' as is_older, count(*)::int as count
               from ${this.#table(entity)} group by 1, 2, 3`,
          )
          .join(' union all '),
      );
      const keyIds = new Set([
        ...(sealing === undefined ? [] : [sealing.keyId]),
        ...this.fernet.keyIds(),
        ...processes.flatMap(({ encryptionKeyIds }) => encryptionKeyIds),
        ...rows.map((row) => row.key_id).sort(),
      ]);
      const sumOf = (matching: typeof rows) => matching.reduce((sum, { count }) => sum + count, 0);
      const use = (keyId: string): KeyUse => {
        const inSlot = (slot: Slot) => sumOf(rows.filter((row) => row.key_id === keyId && row.slot === slot));
        return {
          keyId,
          isSealing: keyId === sealing?.keyId,
          isLoaded: this.fernet.hasKey(keyId),
          rows: { live: inSlot('live'), staged: inSlot('staged'), previous: inSlot('previous') },
          processes: processes.filter((each) => each.encryptionKeyIds.includes(keyId)).length,
        };
      };
      return {
        keys: [...keyIds].map(use),
        olderSeals: sumOf(rows.filter((row) => row.is_older)),
        processes: processes.length,
      };
    });
  }

  /** The credentials that no loaded key can open, by tenant. */
  async unreadable(): Promise<UnreadableRow[]> {
    const rows = await this.dataSource.query<(RowKey & { key_id: string })[]>(
      `${sealedTables
        .map(
          ({ entity, slot }) =>
            `select tenant_id, provider, ${slot} as slot, key_id from ${this.#table(entity)} where key_id <> all($1)`,
        )
        .join(' union all ')} order by 1, 2, 3`,
      [this.fernet.keyIds()],
    );
    return rows.map((row) => ({
      tenantId: row.tenant_id,
      provider: row.provider,
      slot: row.slot,
      keyId: row.key_id,
    }));
  }

  /** Whose rows come next. Their keys are read later, in a query that names the tenants. */
  async #nextKeys({ entity, slot }: SealedTable, after: RowKey | undefined): Promise<RowKey[]> {
    const sealing = await readSealingKey(this.dataSource);
    if (sealing === undefined) return [];
    return this.dataSource.query<RowKey[]>(
      `select tenant_id, provider, ${slot} as slot from ${this.#table(entity)}
       where ${outdatedUnder(sealing)} and ($2::uuid is null or (tenant_id, provider, ${slot}) > ($2, $3::text, $4::text))
       order by 1, 2, 3 limit ${BATCH}`,
      [sealing.keyId, after?.tenant_id ?? null, after?.provider ?? null, after?.slot ?? null],
    );
  }

  async #batch(
    transaction: EntityManager,
    { entity, slot }: SealedTable,
    keys: readonly RowKey[],
    by: ChangedBy,
  ): Promise<RotatedBatch> {
    const sealing = await sealingKey(transaction, this.fernet);
    const rows = await storedRows<TenantCredential>(
      transaction,
      entity,
      keys.map((key) => key.tenant_id),
    )
      .andWhere(
        `(c.tenant_id, c.provider, ${slot === 'slot' ? 'c.slot' : slot}) in (select * from unnest(:t::uuid[], :p::text[], :s::text[]))`,
        {
          t: keys.map((key) => key.tenant_id),
          p: keys.map((key) => key.provider),
          s: keys.map((key) => key.slot),
        },
      )
      .setLock('pessimistic_write', undefined, ['c'])
      .getMany();
    const faults: RowFault[] = [];
    const resealed = rows.filter((row) => {
      const { status } = listedOf(this.fernet, row);
      if (!unusableStatuses.includes(status)) return true;
      faults.push({ tenantId: row.tenantId, provider: row.provider, slot: slotOf(row), status });
      return false;
    });
    for (const row of resealed) reseal(this.fernet, row, sealing);
    await transaction.query(
      `update ${this.#table(entity)} c set sealed_api_key = n.sealed, key_id = $1, seal = n.seal
       from unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[])
         as n (tenant_id, provider, slot, version, sealed, seal)
       where c.tenant_id = n.tenant_id and c.provider = n.provider and c.version = n.version
         and ${slot === 'slot' ? 'c.slot' : slot} = n.slot`,
      [
        sealing.keyId,
        resealed.map((row) => row.tenantId),
        resealed.map((row) => row.provider),
        resealed.map(slotOf),
        resealed.map((row) => row.version),
        resealed.map((row) => row.sealedApiKey),
        resealed.map((row) => row.seal),
      ],
    );
    const counts = { resealed: resealed.length, faults: faults.length, key_id: sealing.keyId };
    await this.audit.record(transaction, by, { action: 'encryption.reseal', details: counts });
    return { resealed: resealed.length, faults };
  }

  /** Once no seal of an older form is left, one that appears was put there in SQL. */
  async #refuseOlderSeals(transaction: EntityManager, by: ChangedBy): Promise<void> {
    const row = await readSealingKey(transaction, 'for update');
    if (row === undefined || row.leastSealForm >= row.sealForm || row.sealForm < NEWEST_SEAL_FORM) return;
    for (const { entity } of sealedTables) {
      const [older] = await transaction.query<object[]>(
        `select 1 from ${this.#table(entity)} where seal not like '${newestForm}' limit 1`,
      );
      if (older !== undefined) return;
    }
    await transaction.query('update encryption_canary set least_seal_form = seal_form where id = 1');
    await this.audit.record(transaction, by, {
      action: 'encryption.refuse_older_seals',
      details: { seal_form: row.sealForm },
    });
  }

  #table(entity: SealedTable['entity']): string {
    return this.dataSource.getMetadata(entity).tableName;
  }
}

type SealedTable = (typeof sealedTables)[number];

const newestForm = `${NEWEST_SEAL_FORM}:%`;

/** $1: the key that seals. */
function outdatedUnder({ sealForm }: SealingKey): string {
  return sealForm < NEWEST_SEAL_FORM ? 'key_id <> $1' : `(key_id <> $1 or seal not like '${newestForm}')`;
}

/** Seals the key again, in place. The decrypted key exists only in the argument. */
function reseal(fernet: FernetService, row: TenantCredential, sealing: SealingKey): void {
  const { sealed, encryptionKeyId } = fernet.encrypt(
    fernet.decrypt(row.sealedApiKey, row.encryptionKeyId),
    sealing.keyId,
  );
  row.sealedApiKey = sealed;
  row.encryptionKeyId = encryptionKeyId;
  row.seal = sealFor(slotOf(row), fernet, row, sealing);
}
