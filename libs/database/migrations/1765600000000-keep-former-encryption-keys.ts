import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What is kept of encryption keys that another one has replaced, and how far the latest rotation is. */
export class KeepFormerEncryptionKeys1765600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `create table former_encryption_keys (
         id text primary key check (id ~ '^[0-9a-f]{12}$'),
         sealed_signing_keys text not null,
         key_id text not null,
         replaced_at timestamptz not null,
         retired_at timestamptz)`,
    );
    await runner.query(
      `create table encryption_rotation (
         id integer primary key check (id = 1),
         state text not null check (state in ('running', 'paused', 'finished')),
         key_id text not null,
         total integer not null,
         resealed integer not null,
         failed integer not null,
         faults jsonb not null,
         position jsonb not null,
         started_by jsonb not null,
         started_at timestamptz not null,
         changed_at timestamptz not null)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table encryption_rotation');
    await runner.query('drop table former_encryption_keys');
  }
}
