import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** The sessions of the console, each with the key that was exchanged for it. */
export class CreateSysadminSessions1766700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // A session has one origin: a sysadmin key, whose scopes then it remembers, or a super key, of which it has a proof.
    await runner.query(`
      create table sysadmin_sessions (
        id text primary key,
        token_hash text not null,
        sysadmin_key_id text references sysadmin_keys (id) on delete cascade,
        scopes text[],
        key_proof text,
        created_at timestamptz not null,
        last_used_at timestamptz not null,
        expires_at timestamptz not null,
        constraint sysadmin_sessions_origin check (
          (sysadmin_key_id is not null and scopes is not null and key_proof is null)
          or (sysadmin_key_id is null and scopes is null and key_proof is not null))
      )`);
    await runner.query(
      'create index sysadmin_sessions_of_key on sysadmin_sessions (sysadmin_key_id, created_at desc)',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table sysadmin_sessions');
  }
}
