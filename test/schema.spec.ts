import { describeWithApp } from './support/app';

describeWithApp('the schema', (tenkey) => {
  it('is created by migrations alone, which match what the entities describe', async () => {
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
