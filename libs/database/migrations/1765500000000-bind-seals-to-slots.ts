import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What seals of the second form cover, and who knows that form. */
export class BindSealsToSlots1765500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Another one for each tenant, also when a tenant is created again with the id of a deleted one.
    await runner.query('alter table tenants add column incarnation uuid not null default gen_random_uuid()');
    // Processes of earlier versions know the first form only, and do not set the column.
    await runner.query(
      'alter table registered_processes add column seal_form smallint not null default 1 check (seal_form > 0)',
    );
    await runner.query(
      `alter table encryption_canary add column seal_form smallint not null default 1 check (seal_form > 0),
         add column least_seal_form smallint not null default 1 check (least_seal_form between 1 and seal_form)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table encryption_canary drop column least_seal_form, drop column seal_form');
    await runner.query('alter table registered_processes drop column seal_form');
    await runner.query('alter table tenants drop column incarnation');
  }
}
