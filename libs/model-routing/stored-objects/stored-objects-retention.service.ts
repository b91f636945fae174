import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { type Config, InjectConfig } from '#config';
import { HourlySweep, reasonOf } from '#database';
import { type TenantRemoval } from '#tenants';

/** So that no statement is long. */
const CHUNK = 10_000;

/** Deletes what Tenkey no longer has to know about stored objects, at the start and every hour. */
@Injectable()
export class StoredObjectsRetentionService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger('calls');
  readonly #sweeps = new HourlySweep(
    () => this.sweep(),
    (error) => this.#log.warn(`old records of stored objects were not deleted: ${reasonOf(error)}`),
  );

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
  ) {}

  onApplicationBootstrap(): void {
    this.#sweeps.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#sweeps.stop(this.config);
  }

  /** Several processes can work at the same time. @returns the number of deleted records */
  async sweep(): Promise<number> {
    for (let total = 0; ;) {
      const [, count] = await this.dataSource.query<[unknown, number]>(
        `delete from stored_objects where (tenant_id, id_hash, kind, provider, host) in (
           select tenant_id, id_hash, kind, provider, host from stored_objects
           where forget_at < now() order by forget_at limit ${CHUNK} for update skip locked
         )`,
      );
      total += count;
      if (count < CHUNK || this.#sweeps.isStopping) return total;
    }
  }
}

/** Deletes the records of a tenant together with it, in chunks: a tenant may have millions. */
async function storedObjectsDeletedWith(
  transaction: EntityManager,
  tenantId: string,
): Promise<Record<string, unknown>> {
  for (let total = 0; ;) {
    const [, count] = await transaction.query<[unknown, number]>(
      `delete from stored_objects where tenant_id = $1 and id_hash in (
         select id_hash from stored_objects where tenant_id = $1 limit ${CHUNK}
       )`,
      [tenantId],
    );
    total += count;
    if (count === 0) return total === 0 ? {} : { stored_objects: total };
  }
}

export const storedObjectRemoval: TenantRemoval = { before: storedObjectsDeletedWith };
