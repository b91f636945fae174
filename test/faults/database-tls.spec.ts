import { DataSource } from 'typeorm';
import { connectAndMigrate, connectionOptions, DatabaseClient, dataSourceOptions } from '#database';
import { startTestApp } from '../support/app';
import { type CertificateAuthority, createAuthority } from '../support/certificates';
import { runCli } from '../support/cli';
import { execute } from '../support/postgres';
import { TlsServer } from './tls-server';

describe('the TLS of the connections to the database has the meaning of libpq', () => {
  let authority: CertificateAuthority;
  let clients: CertificateAuthority;
  let server: TlsServer;
  let ca: string;
  let otherCa: string;
  let client: { cert: string; key: string };
  beforeAll(async () => {
    authority = await createAuthority('of the server');
    clients = await createAuthority('of the clients');
    server = await TlsServer.start(await authority.issue('localhost'), clients);
    ca = await server.file('ca.pem', authority.cert);
    otherCa = await server.file('other-ca.pem', clients.cert);
    const issued = await clients.issue('tenkey');
    client = {
      cert: await server.file('client.crt', issued.cert),
      key: await server.file('client.key', issued.key),
    };
  });
  afterAll(() => server.close());

  type Database = Parameters<TlsServer['url']>[0];

  /** @returns whether the connection is encrypted */
  async function isEncrypted(database: Database, query = '', host?: string): Promise<boolean> {
    const connection = new DatabaseClient(connectionOptions(server.url(database, query, host)));
    await connection.connect();
    const { rows } = await connection.query<{ ssl: boolean }>(
      'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
    );
    await connection.end();
    return rows[0]!.ssl;
  }

  /** A start that would wait for half a minute. @returns why it ended at once */
  async function refusal(database: Database, query = '', host?: string): Promise<string> {
    const began = performance.now();
    const log = () => undefined;
    const start = async () => {
      const url = server.url(database, query, host);
      const dataSource = new DataSource(dataSourceOptions({ url, entities: [] }));
      await connectAndMigrate(dataSource, { waitSeconds: 30, log });
    };
    const error = await start().catch((reason: unknown) => reason as Error);
    expect(performance.now() - began).toBeLessThan(3000);
    const { name, message } = error as Error;
    expect(name).toBe('DatabaseStartError');
    expect(message).not.toMatch(/firewall/);
    return message;
  }

  it('disable, prefer and require, and prefer is what is used without sslmode', async () => {
    expect(await isEncrypted('anything', '?sslmode=disable')).toBe(false);
    for (const query of ['', '?sslmode=prefer', '?sslmode=require']) {
      expect(await isEncrypted('anything', query)).toBe(true);
      expect(await isEncrypted('tls_only', query, '127.0.0.1')).toBe(true);
    }
    expect(await isEncrypted('plain_only')).toBe(false);
    expect(await isEncrypted('plain_only', '?sslmode=disable')).toBe(false);
    await server.set('ssl', 'off');
    expect(await isEncrypted('anything')).toBe(false);
    expect(await isEncrypted('anything', '?sslmode=prefer')).toBe(false);
    expect(await refusal('anything', '?sslmode=require')).toMatch(
      /does not offer TLS.*sslmode=disable in DATABASE_URL\.$/,
    );
    await server.set('ssl', 'on');
  });

  it('verify-ca checks the CA, verify-full also the name, and require checks the CA if there is one', async () => {
    for (const mode of ['require', 'verify-ca', 'verify-full']) {
      expect(await isEncrypted('anything', `?sslmode=${mode}&sslrootcert=${ca}`)).toBe(true);
      expect(await refusal('anything', `?sslmode=${mode}&sslrootcert=${otherCa}`)).toMatch(
        /unknown CA\. Set sslrootcert in DATABASE_URL to /,
      );
    }
    for (const mode of ['require', 'verify-ca'])
      expect(await isEncrypted('anything', `?sslmode=${mode}&sslrootcert=${ca}`, '127.0.0.1')).toBe(true);
    expect(await refusal('anything', `?sslmode=verify-full&sslrootcert=${ca}`, '127.0.0.1')).toMatch(
      /for another host name\. Set the host in DATABASE_URL to a name in the certificate \(DNS:localhost\), or set sslmode=verify-ca in DATABASE_URL\.$/,
    );
    expect(await refusal('anything', '?sslmode=verify-full')).toMatch(/unknown CA.*sslrootcert/);
  });

  it('a certificate that has expired is said, and the start ends at once', async () => {
    await server.present(await authority.issue('localhost', new Date(Date.now() - 60_000)));
    expect(await refusal('anything', `?sslmode=verify-full&sslrootcert=${ca}`)).toMatch(/has expired.*Renew/);
    expect(await refusal('anything', `?sslmode=require&sslrootcert=${ca}`)).toMatch(
      /has expired.*Renew.*set sslmode=require and remove sslrootcert in DATABASE_URL/,
    );
    expect(await isEncrypted('anything', '?sslmode=require')).toBe(true);
    await server.present(await authority.issue('localhost'));
  });

  it('sslcert and sslkey present the certificate of the client', async () => {
    const own = `sslcert=${client.cert}&sslkey=${client.key}`;
    expect(await isEncrypted('client_certificate', `?${own}`)).toBe(true);
    expect(await isEncrypted('client_certificate', `?sslmode=verify-full&sslrootcert=${ca}&${own}`)).toBe(
      true,
    );
    expect(await refusal('client_certificate', '?sslmode=require')).toMatch(
      /certificate of a client.*Set sslcert .* and sslkey/,
    );
    const foreign = await authority.issue('tenkey');
    const [cert, key] = [
      await server.file('foreign.crt', foreign.cert),
      await server.file('foreign.key', foreign.key),
    ];
    expect(await refusal('client_certificate', `?sslmode=require&sslcert=${cert}&sslkey=${key}`)).toMatch(
      /certificate of (the|a) client.*Set sslcert .* and sslkey/,
    );
  });

  it('a server that demands TLS, and one that refuses it, are named with the mode to set', async () => {
    expect(await refusal('tls_only', '?sslmode=disable')).toMatch(
      /demands TLS\. Set sslmode=require in DATABASE_URL\.$/,
    );
    expect(await refusal('plain_only', '?sslmode=require')).toMatch(/over TLS.*sslmode=disable/);
  });

  it('files that cannot be used are named by their parameter', async () => {
    const text = await server.file('text.pem', 'none');
    expect(await refusal('anything', '?sslmode=verify-ca&sslrootcert=/nowhere.pem')).toMatch(
      /^The file of sslrootcert .*ENOENT.*Set sslrootcert/,
    );
    expect(await refusal('anything', `?sslmode=verify-ca&sslrootcert=${text}`)).toMatch(
      /^The file of sslrootcert .* no certificate/,
    );
    expect(await refusal('anything', `?sslcert=${client.cert}&sslkey=/nowhere`)).toMatch(
      /^The file of sslkey .*ENOENT/,
    );
    expect(await refusal('anything', `?sslcert=${ca}&sslkey=${client.key}`)).toMatch(
      /sslcert and sslkey .* do not fit/,
    );
  });

  it('holds for every connection of the service, and for the commands', async () => {
    const query = `?sslmode=verify-full&sslrootcert=${ca}`;
    const databaseUrl = server.url('tls_only', query);
    const tenkey = await startTestApp({ DATABASE_URL: databaseUrl }, { databaseUrl });
    const connections = await tenkey.database.query<{ name: string; ssl: boolean }[]>(
      `select distinct a.application_name as name, s.ssl from pg_stat_activity a join pg_stat_ssl s using (pid)
       where a.datname = current_database() order by 1`,
    );
    expect(connections).toEqual([
      { name: 'tenkey', ssl: true },
      { name: 'tenkey-changes', ssl: true },
    ]);
    await tenkey.close();
    const env = { DATABASE_URL: server.url('tls_only', `?sslmode=verify-full&sslrootcert=${otherCa}`) };
    const migrate = await runCli(env, 'migrate');
    expect(migrate).toMatchObject({ code: 3, stderr: expect.stringMatching(/unknown CA.*sslrootcert/) });
    const direct = { DATABASE_URL: databaseUrl, DATABASE_DIRECT_URL: env.DATABASE_URL };
    expect((await runCli(direct, 'migrate')).stderr).toMatch(
      /unknown CA\. Set sslrootcert in DATABASE_DIRECT_URL to/,
    );
    const plan = await runCli(env, 'audit', 'verify');
    expect(plan).toMatchObject({ code: 3, stderr: expect.stringMatching(/unknown CA.*sslrootcert/) });
    const doctor = await runCli(env, 'doctor');
    expect(doctor.stdout).toMatch(/fault +database: .*unknown CA\. Set sslrootcert in DATABASE_URL/);
    const url = server.url('tls_only', `?sslmode=verify-full&sslrootcert=${ca}`, '127.0.0.1');
    const eneo = await runCli({ DATABASE_URL: databaseUrl }, 'import', 'eneo', '--from', url, '--dry-run');
    expect(eneo.stderr).toMatch(
      /the Eneo database cannot be read: .*another host name\. Set the host in the URL/,
    );
  });

  it('a certificate that a running process does not accept is an outage: no change waits for a lease', async () => {
    const databaseUrl = server.url('tls_only', `?sslmode=verify-full&sslrootcert=${ca}`);
    const tenkey = await startTestApp(
      { DATABASE_URL: databaseUrl, CACHE_LEASE_SECONDS: '60' },
      { databaseUrl },
    );
    await server.present(await authority.issue('elsewhere'));
    await execute(
      server.socketUrl('tls_only'),
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
    );
    // The process has the connections in its pool for a moment longer.
    await new Promise((done) => setTimeout(done, 300));
    const began = performance.now();
    const made = await tenkey.sysadmin('post', '/tenants').send({ name: 'sundsvall' });
    expect(performance.now() - began).toBeLessThan(4000);
    expect([made.status, made.body.code]).toEqual([503, 'credential_store_unavailable']);
    expect(made.body.detail).toMatch(
      /certificate of the server is for another host name\. Nothing was changed/,
    );
    const { status, body } = await tenkey.http().get('/ready');
    expect([status, body.database, body.changes]).toEqual([503, 'unavailable', 'failing']);
    expect(body.reason).toMatch(/for another host name\. Correct its certificate/);
    await server.present(await authority.issue('localhost'));
    expect((await tenkey.sysadmin('post', '/tenants').send({ name: 'sundsvall' })).status).toBe(201);
    await tenkey.close();
  }, 90_000);

  it('a refused password is no reason to wait, and no part of it is printed', async () => {
    await execute(server.socketUrl('postgres'), `create role other login password 'right'`);
    const dataSource = (password: string) => {
      const url = `postgresql://other:${password}@127.0.0.1:${server.port}/with_password`;
      return new DataSource(dataSourceOptions({ url, entities: [] }));
    };
    const error = await connectAndMigrate(dataSource('q7zk%40'), {
      waitSeconds: 30,
      log: () => undefined,
    }).catch((reason: unknown) => reason as Error);
    expect((error as Error).message).toMatch(
      /password authentication failed.*percent-encode special characters: @ is %40/,
    );
    expect((error as Error).stack).not.toContain('q7zk');
    const inParts = {
      DATABASE_URL: undefined,
      DATABASE_HOST: '127.0.0.1',
      DATABASE_PORT: String(server.port),
      DATABASE_NAME: 'with_password',
      DATABASE_USER: 'other',
      DATABASE_PASSWORD: 'q7zk@',
    };
    const advice = 'Check DATABASE_USER and DATABASE_PASSWORD and pg_hba.conf on the server.\n';
    for (const words of [['audit', 'verify'], ['migrate'], ['migrate', '--dry-run'], ['doctor']]) {
      const { stdout, stderr } = await runCli(inParts, ...words);
      expect([words, `${stdout}${stderr}`]).toEqual([
        words,
        expect.stringMatching(/password authentication failed for user "other"\. Check DATABASE_USER/),
      ]);
      expect(`${stdout}${stderr}`).toContain(advice);
      expect(`${stdout}${stderr}`).not.toContain('q7zk');
    }
    const right = await dataSource('right').initialize();
    await right.destroy();
  });
});
