// What only passes bytes on, without looking at them: the references that the gateways are compared with.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { freePort, startPinned, which } from './processes.mjs';

const clientKey = { authorization: 'Bearer not-a-real-key-0123456789' };
const request = (work) => ({ path: `/v1${work.path}`, headers: clientKey });

export const direct = {
  name: 'direct',
  title: 'direct',
  prepare: () => 'no gateway',
  start: ({ provider }) => ({ port: provider.port, request }),
};

export const bare = {
  name: 'bare',
  title: 'bare node:http + undici',
  prepare: () =>
    `Node ${process.version}, undici ${createRequire(import.meta.url)('undici/package.json').version}`,
  async start({ core, provider, folder }) {
    const port = await freePort();
    const process_ = await startPinned({
      core,
      command: process.execPath,
      args: [fileURLToPath(new URL('bare-server.mjs', import.meta.url))],
      env: { PROVIDER: `http://127.0.0.1:${provider.port}`, PORT: String(port), NODE_ENV: 'production' },
      logFile: join(folder, 'bare.log'),
      port,
    });
    return { port, request, process: process_ };
  },
};

export const nginx = {
  name: 'nginx',
  title: 'nginx',
  prepare() {
    if (which('nginx') === undefined) throw new Error('it is not installed (apt-get install nginx)');
    const { stderr } = spawnSync(which('nginx'), ['-v'], { encoding: 'utf8' });
    return stderr.trim().replace('nginx version: nginx/', '');
  },
  async start({ core, provider, folder }) {
    const port = await freePort();
    const home = join(folder, 'nginx');
    mkdirSync(join(home, 'logs'), { recursive: true });
    const file = join(home, 'nginx.conf');
    writeFileSync(file, nginxConfiguration({ home, port, providerPort: provider.port }));
    const process_ = await startPinned({
      core,
      command: which('nginx'),
      args: ['-p', home, '-c', file, '-e', join(home, 'logs/error.log')],
      logFile: join(folder, 'nginx.log'),
      port,
    });
    return { port, request, process: process_ };
  },
};

/** One worker, connections to the provider kept open, nothing buffered, and an access log, since every gateway writes one. */
function nginxConfiguration({ home, port, providerPort }) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${home}/${name};`)
    .join('\n');
  return `
daemon off;
worker_processes 1;
pid ${home}/nginx.pid;
events { worker_connections 1024; }
http {
${temporary}
  access_log ${home}/logs/access.log;
  keepalive_requests 1000000000;
  client_max_body_size 64m;
  client_body_buffer_size 2m;
  upstream provider {
    server 127.0.0.1:${providerPort};
    keepalive 128;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header connection "";
      proxy_buffering off;
    }
  }
}
`;
}
