import { describeWithApp } from './support/app';

describeWithApp('the schema', (tenkey) => {
  it('is created only by migrations, which match what the entities describe', async () => {
    expect(tenkey.database.options).toMatchObject({ synchronize: false, logging: false });
    const { upQueries } = await tenkey.database.driver.createSchemaBuilder().log();
    // Constraints, indexes and defaults are only in the migrations; tables and columns can drift apart.
    const drift = upQueries
      .map(({ query }) => query)
      .filter((query) => !/ DROP CONSTRAINT |^DROP INDEX | DROP DEFAULT$/.test(query));
    expect(upQueries.length).toBeGreaterThan(0);
    expect(drift).toEqual([]);
  });
});
