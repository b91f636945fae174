import { DataSource } from 'typeorm';
import { createTestDatabase } from '../../../test/support/postgres';
import { dataSourceOptions } from '../data-source';
import { schema } from '../migrations/schema';
import { readSchema } from './schema';

it('migrations/schema.ts is what `npm run schema` prints from the migrations', async () => {
  const database = await createTestDatabase();
  const dataSource = await new DataSource(
    dataSourceOptions({ url: database.url, entities: [] }),
  ).initialize();
  const created = await readSchema(dataSource.manager);
  await dataSource.destroy();
  await database.drop();
  expect(created).toEqual(schema);
});
