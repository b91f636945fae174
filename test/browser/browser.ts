import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Browser, chromium } from 'playwright-core';

/** Not 127.0.0.1 or localhost, where Swagger UI leaves out requests that it would send to other hosts. */
export const host = 'tenkey.test';

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=MAP ${host} 127.0.0.1`,
    ],
  });
}

/**
 * A proxy that serves the application below a path, as an ingress does, and knows nothing below another one.
 * @param portOf the port of the application, which may start later
 */
export async function startProxy(
  prefix: string,
  portOf: () => number,
): Promise<{ readonly port: number; readonly close: () => void }> {
  const proxy = createServer((incoming, outgoing) => {
    const { method, url = '', headers } = incoming;
    if (!url.startsWith(`${prefix}/`)) return void outgoing.writeHead(404).end('not below the prefix');
    const path = url.slice(prefix.length);
    const target = { host: '127.0.0.1', port: portOf(), path, method, headers };
    const passed = httpRequest(target, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve));
  return {
    port: (proxy.address() as AddressInfo).port,
    close: () => {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}
