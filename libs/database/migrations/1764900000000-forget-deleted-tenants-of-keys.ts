import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class ForgetDeletedTenantsOfKeys1764900000000 implements MigrationInterface {
  readonly name = 'ForgetDeletedTenantsOfKeys1764900000000';

  async up(runner: QueryRunner): Promise<void> {
    // An empty list allows no tenant; null allows all.
    await runner.query('alter table sysadmin_keys drop constraint sysadmin_keys_tenant_ids_check');
    await runner.query(`
      update sysadmin_keys set tenant_ids = array(
        select id from unnest(tenant_ids) as of_key (id) where exists (select 1 from tenants t where t.id = of_key.id)
        order by id)
      where tenant_ids is not null`);
  }

  async down(runner: QueryRunner): Promise<void> {
    // These keys allow nothing.
    await runner.query('delete from sysadmin_keys where cardinality(tenant_ids) = 0');
    await runner.query(
      'alter table sysadmin_keys add constraint sysadmin_keys_tenant_ids_check check (cardinality(tenant_ids) > 0)',
    );
  }
}
