import { startTestApp, type TestApp } from './support/app';

describe('the schema', () => {
  let tenkey: TestApp;
  beforeAll(async () => {
    tenkey = await startTestApp();
  });
  afterAll(() => tenkey.close());

  it('is made by migrations alone, and they make what the entities describe', async () => {
    expect(tenkey.database.options).toMatchObject({ synchronize: false, logging: false });
    const { upQueries } = await tenkey.database.driver.createSchemaBuilder().log();
    // Constraints, indexes and defaults stand in the migrations alone; tables and columns are what can drift apart.
    const drift = upQueries
      .map(({ query }) => query)
      .filter((query) => !/ DROP CONSTRAINT |^DROP INDEX | DROP DEFAULT$/.test(query));
    expect(upQueries.length).toBeGreaterThan(0);
    expect(drift).toEqual([]);
  });
});
