import { chown, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment } from '../../libs/database/embedded/postgres-binaries';
import { initialise, locate } from '../../libs/database/embedded/postgres-directory';
import { freePort, type Program, startProgram } from '../deployment/program';
import { type CertificateAuthority, type ServerCertificate } from '../support/certificates';
import { execute } from '../support/postgres';

/** Which kind of connection each database accepts. */
const rules = [
  'local all all trust',
  'hostssl tls_only all 127.0.0.1/32 trust',
  'hostnossl plain_only all 127.0.0.1/32 trust',
  'hostssl client_certificate all 127.0.0.1/32 trust clientcert=verify-ca',
  'host with_password all 127.0.0.1/32 scram-sha-256',
  'host anything all 127.0.0.1/32 trust',
];
export const databases = [
  'tls_only',
  'plain_only',
  'client_certificate',
  'with_password',
  'anything',
] as const;

/** A PostgreSQL server with a TCP port and TLS. */
export class TlsServer {
  private constructor(
    readonly port: number,
    /** A folder for the files of clients. */
    readonly folder: string,
    private readonly data: string,
    private readonly program: Program,
    private readonly own: (file: string) => Promise<void>,
  ) {}

  static async start(server: ServerCertificate, clients: CertificateAuthority): Promise<TlsServer> {
    const folder = await mkdtemp(join(tmpdir(), 'tenkey-tls-'));
    await chmod(folder, 0o755);
    const location = await locate(join(folder, 'data'), () => undefined);
    await initialise(location);
    const { account, binaries, database } = location;
    const own = async (file: string) => {
      if (account !== undefined) await chown(file, account.uid, account.gid);
      await chmod(file, 0o600);
    };
    const put = async (name: string, text: string) => {
      await writeFile(join(database, name), text);
      await own(join(database, name));
    };
    await put('server.crt', server.cert);
    await put('server.key', server.key);
    await put('clients.crt', clients.cert);
    await put('pg_hba.conf', `${rules.join('\n')}\n`);
    const port = await freePort();
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: database,
      ssl_ca_file: 'clients.crt',
      fsync: 'off',
    };
    const socket = `postgresql://tenkey@${encodeURIComponent(database)}:${port}/postgres`;
    const isReady = () =>
      execute(socket, 'select 1').then(
        () => true,
        () => false,
      );
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const program = await startProgram(
      join(binaries, 'bin/postgres'),
      ['-D', database, ...args],
      'postgresql',
      isReady,
      {
        ...account,
        cwd: '/',
        env: childEnvironment,
      },
    );
    const started = new TlsServer(port, folder, database, program, own);
    await started.set('ssl', 'on');
    await execute(socket, ...databases.map((name) => `create database ${name}`));
    return started;
  }

  url(database: (typeof databases)[number], query = '', host = 'localhost'): string {
    return `postgresql://tenkey@${host}:${this.port}/${database}${query}`;
  }

  /** For queries of the test. */
  socketUrl(database: string): string {
    return `postgresql://tenkey@${encodeURIComponent(this.data)}:${this.port}/${database}`;
  }

  async set(name: string, value: string): Promise<void> {
    await execute(
      this.socketUrl('postgres'),
      `alter system set ${name} = '${value}'`,
      'select pg_reload_conf()',
    );
    // The postmaster reads its configuration a moment later.
    await new Promise((done) => setTimeout(done, 300));
  }

  /** New connections get this certificate. */
  async present({ cert, key }: ServerCertificate): Promise<void> {
    for (const [name, text] of [
      ['server.crt', cert],
      ['server.key', key],
    ] as const) {
      await writeFile(join(this.data, name), text);
      await this.own(join(this.data, name));
    }
    await this.set('log_connections', 'off');
  }

  /** Writes a file for a client. @returns its path */
  async file(name: string, text: string): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  }

  async close(): Promise<void> {
    await this.program.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
