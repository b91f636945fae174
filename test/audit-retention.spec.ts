import { AuditLogService, AuditRetentionService } from '#audit';
import { FernetService } from '#crypto';
import { type Config } from '#config';
import { tenantFindings } from '#tenants';
import { describeWithApp } from './support/app';
import { runCli } from './support/cli';

const DAY_MS = 24 * 60 * 60 * 1000;

describeWithApp(
  'audit events that are older than AUDIT_RETENTION_DAYS',
  { AUDIT_RETENTION_DAYS: '30' },
  (tenkey) => {
    const audit = () => tenkey.nest.get(AuditLogService, { strict: false });
    const verify = (head?: string) => audit().verify(head);
    const sweep = (days: number) =>
      tenkey.nest.get(AuditRetentionService, { strict: false }).sweep(Date.now() + days * DAY_MS);
    const seqs = async () =>
      (
        await tenkey.database.query<{ seq: string }[]>('select seq::text from audit_events e order by e.seq')
      ).map(({ seq }) => seq);
    const tamper = async (statement: string) => {
      for (const table of ['audit_events', 'audit_values']) {
        await tenkey.database.query(`alter table ${table} disable trigger all`);
      }
      await tenkey.database.query(statement);
      for (const table of ['audit_events', 'audit_values']) {
        await tenkey.database.query(`alter table ${table} enable trigger all`);
      }
    };
    /** What a verification finds while the tables are as the statement leaves them. */
    const faultsAfter = async (change: string | (() => Promise<unknown>)) => {
      const [head] = await tenkey.database.query<[{ seq: string; hash: string }]>(
        'select seq, hash from audit_head',
      );
      await tenkey.database.query('create table copy_of_events as table audit_events');
      await tenkey.database.query('create table copy_of_values as table audit_values');
      await (typeof change === 'string' ? tamper(change) : change());
      const { faults } = await verify();
      const refused = await sweep(40).catch(({ message }: Error) => message);
      await tamper('delete from audit_events; delete from audit_values');
      await tenkey.database.query('update audit_head set seq = $1, hash = $2', [head.seq, head.hash]);
      await tamper(
        'insert into audit_events select * from copy_of_events; insert into audit_values select * from copy_of_values',
      );
      await tenkey.database.query('drop table copy_of_events; drop table copy_of_values');
      expect((await verify()).faults).toEqual([]);
      return { faults: faults.map(({ fault }) => fault), refused };
    };

    it('are kept until then', async () => {
      for (const name of ['first', 'second', 'third']) await tenkey.createTenant(name);
      expect(await sweep(0)).toBe(0);
      expect(await sweep(29)).toBe(0);
      expect(await seqs()).toEqual(['1', '2', '3']);
    });

    it('are deleted then, with an event that says so, and the rest still verifies', async () => {
      const before = (await verify()).head;
      expect(await sweep(32)).toBe(2);
      expect(await seqs()).toEqual(['3', '4']);
      expect(await verify(before)).toMatchObject({ events: 2, expired: 2, plain: 0, faults: [] });
      const [newest] = (await tenkey.sysadmin('get', '/audit-events')).body.items;
      expect(newest).toMatchObject({ seq: '4', actor: 'tenkey', action: 'audit.expire', outcome: 'done' });
      expect(newest.details).toMatchObject({ through: '2', has_keyed: true, plain: 0 });
      const values = await tenkey.database.query('select distinct seq::text from audit_values');
      expect(values).toEqual([{ seq: '3' }]);
      // A further change follows, and further deletions.
      await tenkey.createTenant('fourth');
      expect((await verify()).faults).toEqual([]);
      expect(await sweep(32)).toBe(2);
      expect(await verify()).toMatchObject({ events: 2, expired: 4, faults: [] });
      // What is left to delete is only what recorded deletions: nothing is gained by deleting that.
      await tenkey.createTenant('fifth');
      expect(await sweep(32)).toBe(2);
      const left = await seqs();
      await sweep(32);
      expect((await seqs()).length).toBeLessThanOrEqual(left.length);
      const { code, stdout } = await runCli({ DATABASE_URL: tenkey.databaseUrl }, 'audit', 'verify');
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(/^2 events, \d+ older ones deleted because of AUDIT_RETENTION_DAYS, /),
      ]);
    });

    it('cannot be compared with a head that is older than they are', async () => {
      const { faults } = await verify(`1:${'x'.repeat(43)}`);
      expect(faults).toEqual([
        {
          seq: '1',
          fault: expect.stringContaining('the given head is older than AUDIT_RETENTION_DAYS keeps'),
        },
      ]);
    });

    it('leave tenants that are older than the first event without a finding of the doctor', async () => {
      expect(await tenkey.database.transaction(tenantFindings)).toEqual([]);
      await tenkey.database.query(
        `insert into tenants (id, name, created_at) values (gen_random_uuid(), 'planted', now() + interval '1 hour')`,
      );
      const findings = await tenkey.database.transaction(tenantFindings);
      expect(findings.map(({ text }) => text)).toEqual([
        expect.stringContaining('was not created by Tenkey'),
      ]);
      await tenkey.edit(`delete from tenants where name = 'planted'`);
    });

    it('are the only ones that the database lets anybody delete', async () => {
      await tenkey.createTenant('sixth');
      for (const statement of [
        'delete from audit_events',
        'delete from audit_events where seq = (select min(seq) from audit_events e)',
        'delete from audit_values',
        `update audit_values set value = 'x'`,
        'truncate audit_values',
      ]) {
        await expect(tenkey.database.query(statement)).rejects.toThrow('audit events are append-only');
      }
    });

    it('are missed when more are deleted, also with a forged record of that', async () => {
      await tenkey.createTenant('seventh');
      const first = (await seqs())[0]!;
      const deleted = await faultsAfter(`delete from audit_events where seq = ${first}`);
      expect(deleted.faults).toContainEqual(expect.stringMatching(/^events 1 to \d+ are missing$/));
      expect(deleted.refused).toMatch(/are missing; npx tenkey audit verify shows all/);
      const forged = await faultsAfter(
        `with gone as (delete from audit_events where seq = ${first} returning hash)
       update audit_events set details = details || jsonb_build_object('through', '${first}', 'hash', (select hash from gone))
       where action = 'audit.expire'`,
      );
      expect(forged.faults).toContainEqual(expect.stringContaining('was changed or moved'));
      expect(forged.faults).toContain(`events 1 to ${first} are missing`);
      expect(forged.refused).toContain('was changed or moved');
      const plain = new AuditLogService(tenkey.database, new FernetService({ previous: [] }));
      const through = (await seqs()).at(-1)!;
      const unsigned = await faultsAfter(async () => {
        const by = { actor: 'tenkey', requestId: 'forged', address: 'local' };
        const details = { through, hash: 'x', has_keyed: false, plain: 0 };
        await tenkey.database.transaction((transaction) =>
          plain.record(transaction, by, { action: 'audit.expire', details }),
        );
        await tenkey.database.query('delete from audit_values where seq <= $1', [through]);
        await tenkey.database.query('delete from audit_events where seq <= $1', [through]);
      });
      expect(unsigned.faults).toContain(`events 1 to ${through} are missing`);
      expect(unsigned.refused).toBe(0);
      const edited = await faultsAfter(`update audit_events set actor = 'x' where seq = ${first}`);
      expect(edited.refused).toContain(`event ${first} was changed or moved`);
    });

    it('can be verified with a key that is loaded, and are kept when it is not', async () => {
      await tenkey.createTenant('eighth');
      const other = new FernetService({ previous: [] });
      const keyless = new AuditRetentionService(
        tenkey.database,
        { auditRetentionDays: 30 } as Config,
        new AuditLogService(tenkey.database, other),
        other,
      );
      await expect(keyless.sweep(Date.now() + 40 * DAY_MS)).rejects.toThrow('cannot be checked');
    });
  },
);

describeWithApp('the names and the contact of a tenant in the audit', (tenkey) => {
  const verify = () => tenkey.nest.get(AuditLogService, { strict: false }).verify();
  const found = async (text: string) =>
    (
      await tenkey.database.query<{ found: number }[]>(
        `select (select count(*) from audit_events e where strpos(e::text, $1) > 0)::int
           + (select count(*) from audit_values v where strpos(v::text, $1) > 0)::int as found`,
        [text],
      )
    )[0]!.found;
  const make = async (name: string) => {
    const display_name = `Kommunen ${name}`;
    const contact_email = `anna.andersson@${name}.example`;
    const { body } = await tenkey.sysadmin('post', '/tenants').send({ name, display_name, contact_email });
    await tenkey.sysadmin('patch', `/tenants/${body.id}`).send({ contact_email: `drift@${name}.example` });
    return body.id as string;
  };
  const detailsOf = async (id: string) =>
    (await tenkey.sysadmin('get', `/audit-events?tenant_id=${id}`)).body.items.map(
      ({ action, details }: any) => [action, details],
    );

  it('are shown in the list, and stored apart from the event, which has a salted hash', async () => {
    const id = await make('vara');
    const [updated, created] = await detailsOf(id);
    expect(created).toEqual([
      'tenant.create',
      {
        after: {
          name: 'vara',
          display_name: 'Kommunen vara',
          contact_email: 'anna.andersson@vara.example',
          state: 'active',
        },
      },
    ]);
    expect(updated[1].before.contact_email).toBe('anna.andersson@vara.example');
    const rows = await tenkey.database.query('select details from audit_events where tenant_id = $1', [id]);
    const hashes = rows.flatMap(({ details }: any) =>
      [details.before, details.after].flatMap((each) => each?.name ?? []),
    );
    expect(hashes).toHaveLength(3);
    // The salt differs each time, so that nobody can see which values are the same, or try all.
    expect(new Set(hashes.map(({ salted_hash }: any) => salted_hash)).size).toBe(3);
    expect((await verify()).faults).toEqual([]);
  });

  it('stay after a deletion, and are erased with erase=true, in the database as in the list, with the chain whole', async () => {
    const [kept, erased] = [await make('sala'), await make('ockelbo')];
    await tenkey.sysadmin('delete', `/tenants/${kept}`).expect(204);
    expect(await found('Kommunen sala')).toBeGreaterThan(0);
    const answer = await tenkey.sysadmin('delete', `/tenants/${erased}?erase=true`);
    expect(answer.status).toBe(204);
    for (const text of ['ockelbo', 'anna.andersson@ockelbo']) expect(await found(text)).toBe(0);
    const details = await detailsOf(erased);
    expect(JSON.stringify(details)).not.toContain('ockelbo');
    expect(details[0]).toEqual([
      'tenant.delete',
      {
        before: expect.objectContaining({ name: { salted_hash: expect.any(String) }, state: 'active' }),
        erased: true,
      },
    ]);
    expect((await detailsOf(kept))[0][1].before.name).toBe('sala');
    expect((await verify()).faults).toEqual([]);
    for (const query of ['?erase=yes', '?erase=']) {
      expect((await tenkey.sysadmin('delete', `/tenants/${kept}${query}`)).status).toBe(422);
    }
  });

  it('of a new tenant with the same id are kept', async () => {
    const id = await make('hjo');
    await tenkey.sysadmin('delete', `/tenants/${id}?erase=true`).expect(204);
    await tenkey.sysadmin('post', '/tenants').send({ id, name: 'hjo-again' }).expect(201);
    expect((await detailsOf(id))[0][1].after.name).toBe('hjo-again');
    expect((await verify()).faults).toEqual([]);
  });

  it.each([
    [`update audit_values set value = 'somebody else'`, 'has a personal value that was changed or added'],
    [`delete from audit_values`, 'has lost a personal value, although no event says that it was erased'],
    [
      `insert into audit_values select seq, 'after.state', tenant_id, salt, value from audit_values v where path = 'after.name'`,
      'has a personal value that was changed or added',
    ],
  ])('are missed when somebody runs %s', async (statement, fault) => {
    await make(`skara-${statement.length}`);
    await tenkey.database.query('create table copy_of_values as table audit_values');
    const tamper = async (text: string) => {
      await tenkey.database.query('alter table audit_values disable trigger all');
      await tenkey.database.query(text);
      await tenkey.database.query('alter table audit_values enable trigger all');
    };
    await tamper(statement);
    expect((await verify()).faults.map((each) => each.fault)).toContain(fault);
    await tamper('delete from audit_values');
    await tamper('insert into audit_values select * from copy_of_values');
    await tenkey.database.query('drop table copy_of_values');
    expect((await verify()).faults).toEqual([]);
  });
});
