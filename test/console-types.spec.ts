import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeWithApp } from './support/app';

const run = promisify(execFile);
const root = join(__dirname, '..');

describeWithApp('the types of the console', (tenkey) => {
  it('are those of the OpenAPI document, so that a changed route breaks its build', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tenkey-types-'));
    try {
      const document = join(folder, 'openapi.json');
      writeFileSync(document, JSON.stringify((await tenkey.http().get('/docs/openapi.json')).body));
      const script = join(root, 'apps/console/print-types.cjs');
      const { stdout } = await run(process.execPath, [script, document], { maxBuffer: 16 * 1024 * 1024 });
      expect(stdout).toContain('createSession');
      // `npm run console-types` writes the file.
      expect(readFileSync(join(root, 'apps/console/src/api/schema.ts'), 'utf8')).toBe(stdout);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
