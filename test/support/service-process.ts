import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encryptionKey, platformKey, superKey } from './app';

const root = join(__dirname, '../..');

export interface ServiceProcess {
  /** A request with a body in JSON. The body of the response is undefined when it is a stream. */
  request(
    path: string,
    method: string,
    headers: Record<string, string>,
    body: object,
  ): Promise<{ status: number; text: string; body: any }>;
  /** What it has logged so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Tenkey in a separate process, started as in production: Node reads some variables only at the start. */
export async function startServiceProcess(env: Record<string, string>): Promise<ServiceProcess> {
  // There is no .env in this folder.
  const folder = mkdtempSync(join(tmpdir(), 'tenkey-process-'));
  const { PATH = '', HOME = '' } = process.env;
  const service = spawn(process.execPath, [join(root, 'scripts/run.cjs'), 'apps/api/main.js'], {
    cwd: folder,
    env: {
      PATH,
      HOME,
      PORT: '0',
      INTRIC_SUPER_API_KEY: superKey,
      PLATFORM_API_KEY: platformKey,
      ENCRYPTION_KEY: encryptionKey,
      ...env,
    },
  });
  const ended = new Promise<void>((done) => service.once('exit', () => done()));
  let output = '';
  for (const stream of [service.stdout, service.stderr])
    stream.on('data', (part: Buffer) => (output += part.toString()));
  await new Promise<void>((done) => {
    service.stdout.on('data', () => /listening on/.test(output) && done());
    void ended.then(done);
  });
  const base = /listening on (http:[^"]+)/.exec(output)?.[1] ?? `it has exited: ${output}`;
  return {
    request: async (path, method, headers, body) => {
      const response = await fetch(`${base}${path}`, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      const isStream = response.headers.get('content-type')?.includes('event-stream') === true;
      return { status: response.status, text, body: isStream ? undefined : JSON.parse(text) };
    },
    output: () => output,
    stop: async () => {
      service.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
