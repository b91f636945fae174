import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** What the proxy does with one CONNECT: opens a tunnel, responds with a status, or misbehaves. */
export type ProxyAnswer =
  number | 'tunnel' | 'silence' | 'nonsense' | 'banner' | 'reset' | 'reset the tunnel' | 'silent tunnel';

/** What a server sends that speaks first. It is in one packet with the response of the proxy. */
const banner = 'SSH-2.0-OpenSSH_9.2\r\n';

export interface ConnectProxy {
  readonly port: number;
  /** `host:port` of each CONNECT, in their order. */
  readonly targets: string[];
  /** The header Proxy-Authorization of each CONNECT. */
  readonly authorizations: (string | undefined)[];
  /** Method and path of each request that is not a CONNECT. */
  readonly forwarded: string[];
  /** The bytes that clients sent through tunnels. */
  readonly sent: () => string;
  /** Connections from clients that are not closed. */
  readonly open: () => number;
  /** The next CONNECTs are answered like this, and all later ones with a tunnel. */
  next(...answers: ProxyAnswer[]): void;
  reset(): void;
  close(): Promise<void>;
}

/**
 * A real HTTP proxy on a free port of 127.0.0.1. To it, every name means this machine.
 * @param authorization the header that it demands; absent: none
 */
export async function startConnectProxy(authorization?: string): Promise<ConnectProxy> {
  const targets: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const forwarded: string[] = [];
  const queue: ProxyAnswer[] = [];
  const sockets = new Set<Socket>();
  let sent = '';

  const server = createServer((request, response) => {
    forwarded.push(`${request.method} ${request.url}`);
    response.writeHead(400).end();
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    targets.push(request.url ?? '');
    authorizations.push(request.headers['proxy-authorization']);
    const isAuthorized = authorization === undefined || authorizations.at(-1) === authorization;
    const answer = isAuthorized ? (queue.shift() ?? 'tunnel') : 407;
    if (answer === 'silence' || answer === 'silent tunnel' || answer === 'banner') {
      if (answer !== 'silence') client.write('HTTP/1.1 200 OK\r\n\r\n' + (answer === 'banner' ? banner : ''));
      return void client.resume().once('end', () => client.end());
    }
    if (answer === 'nonsense') return void client.end('220 mail.example ESMTP\r\n');
    if (answer === 'reset') return void client.resetAndDestroy();
    if (typeof answer === 'number') return void client.end(`HTTP/1.1 ${answer} No\r\n\r\n`);
    if (answer === 'reset the tunnel') {
      client.write('HTTP/1.1 200 OK\r\n\r\n', () => setTimeout(() => client.resetAndDestroy(), 50));
      return;
    }
    const provider = connect(Number(/\d+$/.exec(request.url ?? '')?.[0]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.on('data', (part: Buffer) => (sent += part.toString('latin1')));
      client.pipe(provider).pipe(client);
    });
    provider.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('close', () => provider.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    targets,
    authorizations,
    forwarded,
    sent: () => sent,
    open: () => sockets.size,
    next: (...answers) => void queue.push(...answers),
    reset: () => {
      for (const list of [targets, authorizations, forwarded, queue]) list.length = 0;
      sent = '';
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
