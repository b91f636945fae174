import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { platformKey, superKey } from './support/app';
import { type CertificateAuthority, createAuthority, type ServerCertificate } from './support/certificates';
import { createTestDatabase, type TestDatabase } from './support/postgres';
import { type ServiceProcess, startServiceProcess } from './support/service-process';

/** Tenkey runs in a process of its own, because Node reads NODE_EXTRA_CA_CERTS only at the start. */
describe('the connection to a provider', () => {
  let database: TestDatabase;
  let folder: string;
  let authority: CertificateAuthority;
  let service: ServiceProcess;
  const servers: Server[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    authority = await createAuthority('Trusted Authority');
    folder = mkdtempSync(join(tmpdir(), 'tenkey-tls-'));
    const authorityFile = join(folder, 'authority.pem');
    writeFileSync(authorityFile, authority.cert);
    service = await startServiceProcess({
      DATABASE_URL: database.url,
      EGRESS_ALLOW: '127.0.0.1:*',
      UPSTREAM_TIMEOUTS: 'vllm.connect=1,vllm.first_byte=1',
      UPSTREAM_RETRIES: '0',
      NODE_EXTRA_CA_CERTS: authorityFile,
    });
  }, 180_000);
  afterAll(async () => {
    await service.stop();
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
    await database.drop();
  });

  /** The result of a call to a provider at this address. */
  async function resultAt(endpoint: string): Promise<{ status: number; message: string | undefined }> {
    const sysadmin = { 'x-api-key': superKey };
    const name = `tenant-${endpoint.replaceAll(/\W+/g, '-')}`;
    const { body: tenant } = await service.request('/api/v1/sysadmin/tenants', 'POST', sysadmin, { name });
    const path = `/api/v1/sysadmin/tenants/${tenant.id}/credentials/vllm`;
    await service.request(path, 'PUT', sysadmin, { api_key: 'sk-key-that-nobody-gets', endpoint });
    const headers = { 'x-api-key': platformKey, 'x-tenant-id': tenant.id as string };
    const messages = [{ role: 'user', content: 'hello' }];
    const { status, body } = await service.request('/v1/chat/completions', 'POST', headers, {
      model: 'gemma-vllm',
      messages,
    });
    return { status, message: body.error?.message as string | undefined };
  }

  async function listen(server: Server): Promise<number> {
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return (server.address() as AddressInfo).port;
  }
  const withCertificate = async (certificate: ServerCertificate) =>
    `https://127.0.0.1:${await listen(createTlsServer(certificate, (_, response) => response.end('{}')))}`;
  const withSockets = async (onSocket: (socket: Socket) => void) =>
    `127.0.0.1:${await listen(createServer((socket) => onSocket(socket.on('error', () => undefined))))}`;

  it('fails with the reason when the certificate is not valid', async () => {
    const other = await createAuthority('Unknown Authority');
    const ended = new Date(Date.now() - 86_400_000);
    const found = await Promise.all(
      [authority.issue('127.0.0.1', ended), other.issue('127.0.0.1'), authority.issue('llm.example.com')].map(
        async (certificate) => resultAt(await withCertificate(await certificate)),
      ),
    );
    expect(found.map(({ status }) => status)).toEqual([502, 502, 502]);
    expect(found.map(({ message }) => /cannot be trusted: (.*)$/.exec(message ?? '')?.[1])).toEqual([
      'its TLS certificate has expired or is not valid yet.',
      'its TLS certificate is from an unknown authority.',
      'its TLS certificate is for another name.',
    ]);
  });

  it('succeeds when the certificate is valid', async () => {
    const { status } = await resultAt(await withCertificate(await authority.issue('127.0.0.1')));
    expect(status).toBe(200);
  });

  it.each<[string, number, string, () => Promise<string>]>([
    [
      'an unknown name',
      502,
      'its name cannot be resolved',
      () => Promise.resolve('http://llm.tenkey.invalid'),
    ],
    [
      'a closed port',
      502,
      'it refused the connection',
      async () => {
        const server = createServer();
        const port = await listen(server);
        await new Promise((done) => server.close(done));
        return `http://127.0.0.1:${port}`;
      },
    ],
    [
      'a reset',
      502,
      'closed the connection before its response was complete',
      async () => `http://${await withSockets((socket) => socket.resetAndDestroy())}`,
    ],
    [
      'an answer in another protocol',
      502,
      'sent a response that is not valid HTTP',
      async () =>
        `http://${await withSockets((socket) => void socket.once('data', () => socket.end('SSH-2.0-server\r\n')))}`,
    ],
    [
      'a server without TLS',
      502,
      'the TLS handshake failed',
      async () => `https://${await withSockets((socket) => void socket.end('HTTP/1.1 400 No\r\n\r\n'))}`,
    ],
    [
      'silence before TLS',
      504,
      'did not accept the connection in time',
      async () => `https://${await withSockets(() => undefined)}`,
    ],
    ['silence', 504, 'did not respond in time', async () => `http://${await withSockets(() => undefined)}`],
  ])('fails with the reason: %s', async (_, status, reason, addressOf) => {
    const endpoint = await addressOf();
    const found = await resultAt(endpoint);
    expect([found.status, found.message]).toEqual([status, expect.stringContaining(reason)]);
    expect(found.message).toContain(new URL(endpoint).host);
  });
});
