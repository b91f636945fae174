import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { settings } from '../../libs/config/settings/settings';
import { encryptionKey, superKey } from '../support/app';
import { Gate } from '../support/gate';
import { createTestDatabase } from '../support/postgres';
import { until } from '../support/until';
import { freePort } from './program';
import { run, runTool } from './tools';

const root = join(__dirname, '../..');
const chart = join(root, 'deploy/helm/tenkey');
const everything = `
image: { repository: registry.example/tenkey, tag: "1" }
imagePullSecrets: [{ name: pull }]
catalogue: "completion_models: []"
secrets: { PLATFORM_API_KEY: { existingSecret: other, key: platform-key } }
ingress: { enabled: true, className: nginx, tlsSecret: tls }
privateCa: { existingSecret: ca }
metrics: { serviceMonitor: { enabled: true, labels: { release: prometheus } } }
podAnnotations: { example.org/team: platform }
nodeSelector: { kubernetes.io/arch: amd64 }
tolerations: [{ key: dedicated, operator: Exists }]
affinity: { nodeAffinity: {} }
networkPolicy: { from: [{ namespaceSelector: {} }], metricsFrom: [{ namespaceSelector: {} }] }
`;

describe('the files of deploy/', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenkey-deploy-'));
  // Another user starts the service in it.
  beforeAll(() => chmodSync(folder, 0o755));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const template = (...args: string[]) => runTool('helm', 'template', 'tenkey', chart, ...args);

  it('a Dockerfile without findings', async () => {
    expect(await runTool('hadolint', join(root, 'deploy/Dockerfile'))).toEqual({ code: 0, output: '' });
  });

  it('a chart that Helm accepts, and manifests that Kubernetes accepts, old and new', async () => {
    const lint = await runTool('helm', 'lint', '--strict', chart);
    expect([lint.code, lint.output]).toEqual([0, expect.stringContaining('0 chart(s) failed')]);
    for (const values of [[], ['--values', write('values.yaml', everything)]]) {
      const { code, output } = await template(...values);
      expect([code, output]).toEqual([0, expect.stringContaining('kind: Deployment')]);
      for (const version of ['1.27', '1.37']) {
        const options = ['--strict', '--no-warn', '--quiet', '--kubernetes-version', version];
        const checked = await runTool('kubernetes-validate', ...options, write('manifests.yaml', output));
        expect(checked).toEqual({ code: 0, output: '' });
      }
    }
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const { appVersion } = parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')) as { appVersion: string };
    expect(appVersion).toBe(version);
  });

  it('a chart that mounts every secret as a file, and refuses secrets as settings', async () => {
    const { output } = await template('--values', write('values.yaml', everything));
    expect(output).toContain('{ name: PLATFORM_API_KEY_FILE, value: /run/secrets/tenkey/PLATFORM_API_KEY }');
    expect(output).toMatch(/name: other\n +items: \[\{ key: platform-key, path: PLATFORM_API_KEY \}\]/);
    expect((await template('--set', 'secrets.ENCRYPTION_KEY=null')).output).toContain(
      'ENCRYPTION_KEY is required',
    );
    const secrets = Object.values(settings).filter(({ kind }) => 'isSecret' in kind);
    expect(secrets.length).toBeGreaterThan(4);
    for (const name of [...secrets.map((setting) => setting.name), 'OPENAI_API_KEY', 'SCW_SECRET_KEY']) {
      const refused = await template('--set', `settings.${name}=x`);
      expect([name, refused.code, refused.output]).toEqual([name, 1, expect.stringContaining('settings')]);
    }
  });

  it('a compose file that is accepted', async () => {
    const compose = await run(
      'docker-compose',
      '--file',
      join(root, 'deploy/compose.yml'),
      'config',
      '--quiet',
    );
    expect(compose).toEqual({ code: 0, output: '' });
  });

  it('files whose settings exist', async () => {
    const names = new Set(Object.values(settings).map(({ name }) => name));
    const { output } = await template();
    const texts = [
      output,
      ...['compose.yml', 'systemd/tenkey@.service'].map((file) =>
        readFileSync(join(root, 'deploy', file), 'utf8').replace(/^ *#.*$/gm, ''),
      ),
    ];
    const used = texts.flatMap((text) =>
      [...text.matchAll(/^ +([A-Z][A-Z_]+): |- { name: ([A-Z][A-Z_]+),|[ =]([A-Z][A-Z_]+)=/gm)].map(
        ([, ...found]) => found.find((name) => name !== undefined)!.replace(/_FILE$/, ''),
      ),
    );
    expect(used.length).toBeGreaterThan(20);
    expect(used.filter((name) => !names.has(name) && !name.startsWith('POSTGRES_'))).toEqual([]);
  });

  it('a unit that systemd accepts', async () => {
    const unit = readFileSync(join(root, 'deploy/systemd/tenkey@.service'), 'utf8');
    // The machine of this test may have Node in another place.
    const path = write('tenkey@.service', unit.replace('/usr/bin/node', process.execPath));
    expect(await run('systemd-analyze', 'verify', '--man=no', path)).toEqual({ code: 0, output: '' });
  });

  it('an image whose content runs as an ordinary user on a file system that it cannot write to', async () => {
    const image = join(folder, 'image');
    expect((await run(process.execPath, join(root, 'scripts/run.cjs'), '--build-only')).code).toBe(0);
    // What the Dockerfile copies.
    for (const path of ['package.json', 'apps/console/package.json', 'dist', 'apps/api/ai_models.yml'])
      cpSync(join(root, path), join(image, path), { recursive: true });
    cpSync(join(root, 'package-lock.json'), join(image, 'package-lock.json'));
    expect((await run('cp', '-al', join(root, 'node_modules'), join(image, 'node_modules'))).code).toBe(0);
    const npm = [
      'prune',
      '--omit=dev',
      '--omit=optional',
      '--ignore-scripts',
      '--no-audit',
      '--prefix',
      image,
    ];
    expect(await run('npm', ...npm)).toMatchObject({ code: 0 });
    expect(existsSync(join(image, 'node_modules/jest'))).toBe(false);
    const database = await createTestDatabase();
    // Another user cannot enter the folder with the socket of the test's server.
    const gate = new Gate(database.url);
    const port = await freePort();
    const isRoot = process.getuid?.() === 0;
    const service = spawn(
      'unshare',
      [
        '--mount',
        ...(isRoot ? [] : ['--map-root-user']),
        ...[
          'sh',
          '-c',
          'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"',
          image,
        ],
        ...(isRoot ? ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups'] : []),
        ...[process.execPath, 'dist/apps/api/main.js'],
      ],
      {
        env: {
          NODE_ENV: 'production',
          HOST: '127.0.0.1',
          PORT: String(port),
          INTRIC_SUPER_API_KEY: superKey,
          ENCRYPTION_KEY: encryptionKey,
          DATABASE_URL: await gate.listen(),
        },
      },
    );
    let output = '';
    for (const stream of [service.stdout, service.stderr]) stream.on('data', (part) => (output += part));
    const exited = new Promise<number | null>((done) => service.once('exit', done));
    try {
      const ready = () =>
        fetch(`http://127.0.0.1:${port}/ready`).then(
          ({ ok }) => ok,
          () => false,
        );
      await until(async () => service.exitCode !== null || (await ready()), 'ready');
      expect([service.exitCode, output]).toEqual([null, expect.stringContaining('listening on')]);
      service.kill('SIGTERM');
      expect(await exited).toBe(0);
    } finally {
      service.kill('SIGKILL');
      await exited;
      gate.close();
      await database.drop();
    }
  });
});
