import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { readAbilities } from '#cache';
import { FernetService } from '#crypto';
import { type Slot } from '../credential';
import { countOlderSeals } from './resealing';
import { credentialTables, type SealedPlace, sealedPlaces, sealedRows, tableOf } from './sealed-tables';
import { readSealingState } from '../encryption/sealing-key';
import { FormerKey } from '../encryption/sealing-state.entity';

/** A row that is sealed under a key that is not loaded. */
export interface UnreadableRow {
  readonly tenant_id: string;
  readonly provider: string;
  readonly slot: Slot;
  readonly key_id: string;
}

/** Where an encryption key is used. */
export interface KeyUse {
  readonly keyId: string;
  /** Whether new credentials are sealed under it. */
  readonly isSealing: boolean;
  /** Whether it never seals again. */
  readonly isRetired: boolean;
  /** Whether this process has it. */
  readonly isLoaded: boolean;
  readonly rows: Readonly<Record<SealedPlace, number>>;
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

/** Shows where encryption keys are used. Decrypts nothing. */
@Injectable()
export class EncryptionStatusService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly fernet: FernetService,
  ) {}

  async status(): Promise<EncryptionStatus> {
    const { manager } = this.dataSource;
    const processes = await readAbilities(manager);
    const sealing = await readSealingState(manager);
    const former = await manager.find(FormerKey);
    const rows = await sealedRows(manager);
    const keyIds = new Set([
      ...(sealing === undefined ? [] : [sealing.encryptionKeyId]),
      ...this.fernet.keyIds(),
      ...processes.flatMap(({ encryptionKeyIds }) => encryptionKeyIds),
      ...rows.map((row) => row.keyId).sort(),
    ]);
    const use = (keyId: string): KeyUse => {
      const inPlace = (place: SealedPlace) =>
        rows.find((row) => row.keyId === keyId && row.place === place)?.count ?? 0;
      return {
        keyId,
        isSealing: keyId === sealing?.encryptionKeyId,
        isRetired: former.some(({ id, retiredAt }) => id === keyId && retiredAt !== null),
        isLoaded: this.fernet.hasKey(keyId),
        rows: Object.fromEntries(sealedPlaces.map((place) => [place, inPlace(place)])) as KeyUse['rows'],
        processes: processes.filter((each) => each.encryptionKeyIds.includes(keyId)).length,
      };
    };
    return {
      keys: [...keyIds].map(use),
      olderSeals: await countOlderSeals(manager),
      processes: processes.length,
    };
  }

  /** The id of the key that seals; undefined before the first start with a key. */
  async sealingKeyId(): Promise<string | undefined> {
    return (await readSealingState(this.dataSource.manager))?.encryptionKeyId;
  }

  /** The credentials that no loaded key can open, by tenant. */
  async unreadable(): Promise<UnreadableRow[]> {
    const { manager } = this.dataSource;
    return manager.query<UnreadableRow[]>(
      `${credentialTables
        .map(
          ({ entity, slot }) =>
            `select tenant_id, provider, ${slot} as slot, key_id from ${tableOf(manager, entity)} where key_id <> all($1)`,
        )
        .join(' union all ')} order by 1, 2, 3`,
      [this.fernet.keyIds()],
    );
  }
}
