import { DataSource } from 'typeorm';
import { loadConfig } from '#config';
import { dataSourceOptions } from '#database';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres';
import { UsageRetentionService } from './usage-retention.service';

describe('the retention of usage records', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await new DataSource(dataSourceOptions({ url: database.url, entities: [] })).initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  it('does not delay a stop while the database does not respond', async () => {
    const holder = dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query('lock table usage_records');
    const config = loadConfig({
      TENANT_CREDENTIALS_ENABLED: 'false',
      INTRIC_SUPER_API_KEY: 'a-super-key-of-enough-length',
      SHUTDOWN_SECONDS: '0',
    });
    const retention = new UsageRetentionService(dataSource, config);
    retention.onApplicationBootstrap();
    const start = Date.now();
    await retention.onApplicationShutdown();
    expect(Date.now() - start).toBeLessThan(3000);
    await holder.rollbackTransaction();
    await holder.release();
    // The lock is released, so this waits for the sweep to finish.
    await retention.onApplicationShutdown();
  });
});
