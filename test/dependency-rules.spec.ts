import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const root = resolve(__dirname, '..');

/** Runs the project's own rules on a small project of these files, outside of the real one, so that parallel runs do not see it. */
function cruise(files: Record<string, string>): { exitCode: number | null; output: string } {
  const parent = join(root, '.tenkey');
  mkdirSync(parent, { recursive: true });
  const project = mkdtempSync(join(parent, 'planted-'));
  try {
    for (const name of ['package.json', 'tsconfig.json']) copyFileSync(join(root, name), join(project, name));
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(project, name)), { recursive: true });
      writeFileSync(join(project, name), content);
    }
    const run = spawnSync(
      process.execPath,
      [
        join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
        'apps',
        'libs',
        '--config',
        join(root, '.dependency-cruiser.cjs'),
      ],
      { cwd: project, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' } },
    );
    return { exitCode: run.status, output: run.stdout + run.stderr };
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

const clean = {
  'apps/api/main.ts': "import { tenants } from '#tenants';\nimport { get } from '#egress';\nget(tenants);\n",
  'libs/crypto/index.ts': "export { seal } from './seal';\n",
  'libs/crypto/seal.ts': 'export const seal = 1;\n',
  'libs/http/index.ts': "import { seal } from '#crypto';\nexport const problem = seal;\n",
  'libs/egress/index.ts': "import { request } from 'undici';\nexport const get = request;\n",
  'libs/tenants/index.ts':
    "import type { IncomingMessage } from 'node:http';\nimport { problem } from '#http';\nexport const tenants: unknown = problem;\nexport type Request = IncomingMessage;\n",
};

const planted = {
  'libs/crypto/order.ts': "import { problem } from '#http';\nexport const order = problem;\n",
  'libs/crypto/circle-a.ts': "import { b } from './circle-b';\nexport const a = (): unknown => b;\n",
  'libs/crypto/circle-b.ts': "import { a } from './circle-a';\nexport const b = (): unknown => a;\n",
  'libs/crypto/east/a.ts': "import { w } from '../west/w';\nexport const a = w;\n",
  'libs/crypto/east/b.ts': 'export const b = 1;\n',
  'libs/crypto/west/v.ts': "import { b } from '../east/b';\nexport const v = b;\n",
  'libs/crypto/west/w.ts': 'export const w = 1;\n',
  'libs/crypto/own-door.ts': "import { seal } from './index';\nexport const own = seal;\n",
  'libs/crypto/missing.ts': "import { seal } from '#crypto/seal';\nexport const missing = seal;\n",
  'libs/http/app.ts': "import '../../apps/api/main';\n",
  'libs/tenants/client.ts': "import { request } from 'undici';\nexport const client = request;\n",
  'libs/tenants/socket.ts': "import { connect } from 'node:tls';\nexport const socket = connect;\n",
  'libs/tenants/lazy.ts': "export const lazy = () => import('node:https');\n",
  'libs/tenants/deep.ts': "import { seal } from '../crypto/seal';\nexport const deep = seal;\n",
  'libs/shared/index.ts': 'export const shared = 1;\n',
  'libs/tenants/shared.ts': "import { shared } from '#shared';\nexport const used = shared;\n",
  'libs/tenants/tested.ts': "import '../../test/support/app';\n",
  'test/support/app.ts': 'export const app = 1;\n',
  'apps/cli/other-app.ts': "import '../api/main';\n",
  'apps/cli/deep.ts': "import { seal } from '../../libs/crypto/seal';\nexport const deep = seal;\n",
};

describe('dependency rules', () => {
  it('pass for a project that follows them', () => {
    const { exitCode, output } = cruise(clean);
    expect(output).toContain('no dependency violations found');
    expect(exitCode).toBe(0);
  });

  describe('find each planted violation', () => {
    let result: ReturnType<typeof cruise>;
    beforeAll(() => {
      result = cruise({ ...clean, ...planted });
    });

    it('and fail', () => {
      expect(result.exitCode).toBeGreaterThan(0);
    });

    it.each([
      ['order-crypto', 'libs/crypto/order.ts'],
      ['no-cycles', 'libs/crypto/circle-a.ts'],
      ['no-room-cycles', 'libs/crypto/east'],
      ['own-front-door', 'libs/crypto/own-door.ts'],
      ['resolvable', 'libs/crypto/missing.ts'],
      ['nothing-imports-an-app', 'libs/http/app.ts'],
      ['outgoing-http-only-in-egress', 'libs/tenants/client.ts'],
      ['outgoing-http-only-in-egress', 'libs/tenants/socket.ts'],
      ['outgoing-http-only-in-egress', 'libs/tenants/lazy.ts'],
      ['front-door', 'libs/tenants/deep.ts'],
      ['lib-has-a-place', 'libs/tenants/shared.ts'],
      ['product-without-tests', 'libs/tenants/tested.ts'],
      ['front-door-apps', 'apps/cli/deep.ts'],
      ['apps-apart', 'apps/cli/other-app.ts'],
    ])('%s in %s', (rule, file) => {
      expect(result.output).toContain(`error ${rule}: ${file}`);
    });
  });
});
