import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const script = resolve(__dirname, '../scripts/source-rules.cjs');

/** Runs the rules on a small project of these files. */
function check(files: Record<string, string>): { exitCode: number | null; faults: string[] } {
  const project = mkdtempSync(join(tmpdir(), 'tenkey-planted-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(project, name)), { recursive: true });
      writeFileSync(join(project, name), content);
    }
    const { status, stdout } = spawnSync(process.execPath, [script, project], { encoding: 'utf8' });
    return { exitCode: status, faults: stdout.split('\n').filter((line) => line !== '') };
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

/** A folder with this many source files. */
const filled = (folder: string, count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `${folder}/file-${index}.ts`,
      `export const a = ${index};\n`,
    ]),
  );

const clean = {
  'libs/database/migrations/1-create.ts':
    'const a = `\n  create table tenants (id uuid)`;\nconst b = "create table tenant_keys ()";\nconst c = "create table audit_head ()";\n',
  'libs/tenants/tenant.entity.ts': "@Entity({ name: 'tenants' })\nexport class Tenant {}\n",
  'libs/tenants/tenants.ts': "export const sql = 'select id from tenants';\n",
  'libs/issued-keys/key.entity.ts': "@Entity({ name: 'tenant_keys' })\nexport class TenantKey {}\n",
  'libs/audit/head.ts': "export const sql = 'select seq from audit_head';\n",
  'libs/audit/audit.spec.ts': "export const sql = 'select id from tenants';\n",
  'libs/http/requests/paths.ts': "export const sysadminPrefix = '/api/v1/sysadmin';\n",
  'libs/config/config.ts': 'export const url = process.env.DATABASE_URL;\n',
  'apps/cli/remote/client.ts': "void fetch('https://example.com');\n",
  // Words, not tables: a comment, a sentence and a scope.
  'libs/usage/words.ts':
    "// select id from tenants, tenant_keys\nexport const a = 'All tenants, or some tenants.';\nexport const b = 'tenants:read';\n",
  ...filled('libs/usage/reports', 14),
  ...filled('libs/providers/definitions', 15),
  'libs/usage/reports/file-0.spec.ts': '',
};

const planted: Record<string, string> = {
  'libs/audit/joined.ts': 'export const sql = `\n  select 1 from audit_head\n  join tenants t on true`;\n',
  'libs/audit/qualified.ts': "export const sql = 'and tenants.id = $1';\n",
  'libs/tenants/keys.ts': "export const sql = 'delete from tenant_keys';\n",
  'libs/tenants/interpolated.ts': 'export const sql = `select ${1} from tenant_keys where ${2}`;\n',
  'apps/cli/head.ts': "export const table = 'audit_head';\n",
  'libs/database/migrations/2-create.ts': "const a = 'create table widgets ()';\n",
  'libs/tenants/path.ts': "export const path = '/api/v1/sysadmin/tenants';\n",
  'libs/tenants/environment.ts': 'export const url = process.env.DATABASE_URL;\n',
  'libs/tenants/outgoing.ts': "void fetch('https://example.com');\n",
  'apps/cli/remote/other.ts': "void fetch('https://example.com');\n",
  ...filled('libs/usage/records', 15),
};

describe('rules for the sources', () => {
  it('pass a project that keeps them', () => {
    expect(check(clean)).toEqual({ exitCode: 0, faults: [] });
  });

  describe('find each planted violation', () => {
    let result: ReturnType<typeof check>;
    beforeAll(() => {
      result = check({ ...clean, ...planted });
    });

    it('and fail', () => {
      expect(result.exitCode).toBe(1);
      expect(result.faults).toHaveLength(11);
    });

    it.each([
      'libs/audit/joined.ts:3: the table tenants is named only in libs/tenants',
      'libs/audit/qualified.ts:1: the table tenants is named only in libs/tenants',
      'libs/tenants/keys.ts:1: the table tenant_keys is named only in libs/issued-keys',
      'libs/tenants/interpolated.ts:1: the table tenant_keys is named only in libs/issued-keys',
      'apps/cli/head.ts:1: the table audit_head is named only in libs/audit',
      'libs/database/migrations/2-create.ts: no lib owns widgets; name it in scripts/source-rules.cjs',
      'libs/tenants/path.ts:1: the path of the sysadmin API is written only in libs/http/requests/paths.ts',
      'libs/tenants/environment.ts:1: the environment is read only in libs/config',
      'libs/tenants/outgoing.ts:1: outgoing requests are made only in libs/egress',
      'apps/cli/remote/other.ts:1: outgoing requests are made only in libs/egress',
      'libs/usage/records: 15 source files; a folder has at most 14',
    ])('%s', (fault) => {
      expect(result.faults).toContain(fault);
    });
  });
});
