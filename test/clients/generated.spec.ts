import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startTestApp, superKey, type TestApp } from '../support/app';

const root = join(__dirname, '../..');
const folder = join(__dirname, 'generated');
const types = join(folder, 'dist/schema.d.ts');
const documentFile = join(folder, 'dist/openapi.json');
const quiet = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };

/** Runs a program of Node, and fails with what it printed. */
async function run(...args: string[]): Promise<string> {
  const options = { cwd: folder, env: { ...process.env, ...quiet } };
  try {
    return (await promisify(execFile)(process.execPath, args, options)).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${args.join(' ')}\n${stdout}${stderr}`);
  }
}

describe('the OpenAPI document', () => {
  let tenkey: TestApp;
  let origin: string;
  beforeAll(async () => {
    tenkey = await startTestApp();
    origin = `http://127.0.0.1:${(tenkey.nest.getHttpServer().address() as { port: number }).port}`;
    await mkdir(join(folder, 'dist'), { recursive: true });
    await writeFile(documentFile, (await tenkey.http().get('/docs/openapi.json')).text);
  });
  afterAll(() => tenkey.close());

  it('keeps the rules that redocly recommends, except those that redocly.yaml lists', async () => {
    const cli = join(__dirname, 'node_modules/@redocly/cli/bin/cli.js');
    await run(cli, 'lint', documentFile, '--config', join(__dirname, 'redocly.yaml'));
  });

  it('is what openapi-typescript makes types of, which refuse a wrong request and work with the service', async () => {
    await run(join(__dirname, 'node_modules/openapi-typescript/bin/cli.js'), documentFile, '--output', types);
    await run(join(root, 'node_modules/typescript/bin/tsc'), '-p', folder);
    const seen = JSON.parse(await run(join(folder, 'dist/onboarding.mjs'), origin, superKey)) as unknown;
    expect(seen).toEqual({
      created: [201, 'of-a-generated-client', 'active'],
      set: [200, '...xyz9'],
      listed: ['azure', '...xyz9', 'ready', null, null, null],
      refused: [
        422,
        true,
        false,
        expect.arrayContaining(['api_key', 'endpoint', 'api_version', 'deployment_name']),
      ],
      removed: [true, false],
      deleted: [204, 'tenant_not_found'],
    });
  });
});
