import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..');

describe('npm run cli -- models check', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenkey-models-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  jest.setTimeout(180_000);

  /** Runs the command without a database, a key, or any other setting. */
  function check(words: string[], env: Record<string, string> = {}) {
    const { PATH = '', HOME = '' } = process.env;
    return new Promise<{ code: unknown; out: string; err: string }>((done) => {
      execFile(
        process.execPath,
        ['scripts/run.cjs', 'apps/cli/main.js', 'models', ...words],
        { cwd: root, env: { PATH, HOME, ...env } },
        (error, out, err) => done({ code: error ? error.code : 0, out, err }),
      );
    });
  }

  function file(name: string, text: string): string {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  }

  it('finds nothing in the shipped file, not even with --strict, and prints a summary', async () => {
    const { code, out } = await check(['check', '--strict'], { AI_MODELS_FILE: ' ' });
    expect(out).toMatch(/^\d+ models: openai \d+, .*; litellm \d+, legacy 1\n0 faults, 0 warnings\n$/);
    expect(code).toBe(0);
  });

  it('names every fault of every entry by line, and exits with 1', async () => {
    const path = file(
      'faults.yml',
      'completion_models:\n- name: a\n  litellm_model_name: opnai/x\n  base_url: 7\n- name: a\n- family: e5\n  name: e\n',
    );
    const { code, out, err } = await check(['check', path]);
    expect(out.split('\n')).toEqual([
      expect.stringMatching(
        `^${path}:3: a: litellm_model_name has an unknown provider prefix; the known ones are .*mean openai`,
      ),
      `${path}:4: a: base_url must be a URL that starts with http:// or https://`,
      `${path}:5: a: the name a occurs twice; it is already on line 2`,
      `${path}:5: a: a model without litellm_model_name needs a family`,
      `${path}:6: warning: e: no provider serves this family, so calls are refused; add litellm_model_name`,
      '1 model: none 1; legacy 1',
      '4 faults, 1 warning',
      '',
    ]);
    expect(err).toBe('');
    expect(code).toBe(1);
  });

  it('reports invalid YAML, and a file that does not exist', async () => {
    const broken = file('broken.yml', '- name: a\n\tfamily: openai\n');
    expect(await check(['check', broken])).toMatchObject({
      code: 1,
      out: expect.stringContaining(`${broken}:2: `),
    });
    expect(await check(['check', join(folder, 'none.yml')])).toMatchObject({
      code: 1,
      out: expect.stringContaining('none.yml: the model file cannot be read (ENOENT)'),
    });
  });

  it('exits with 0 for warnings unless --strict is given; the default file is AI_MODELS_FILE', async () => {
    const AI_MODELS_FILE = file('warnings.yml', '- name: a\n  family: openai\n  hostng: eu\n');
    const plain = await check(['check'], { AI_MODELS_FILE });
    expect(plain.out).toContain(
      `${AI_MODELS_FILE}:3: warning: a: unknown field hostng; did you mean hosting?`,
    );
    expect(plain.code).toBe(0);
    expect((await check(['check', '--strict'], { AI_MODELS_FILE })).code).toBe(1);
  });

  it('prints JSON with --json', async () => {
    const path = file('machine.yml', '- name: a\n  litellm_model_name: azure/x\n- name: b\n');
    const { code, out } = await check(['check', '--json', path]);
    expect(JSON.parse(out)).toEqual({
      file: path,
      models: 1,
      providers: { azure: 1 },
      adapters: { litellm: 1 },
      faults: 1,
      warnings: 0,
      findings: [
        {
          severity: 'fault',
          file: path,
          line: 3,
          reason: 'b: a model without litellm_model_name needs a family',
        },
      ],
    });
    expect(code).toBe(1);
  });

  it.each([[['check', '--nothing']], [['check', 'one.yml', 'two.yml']], [['check', '']], [['chekc']], [[]]])(
    'exits with 2 for wrong usage: %j',
    async (words) => {
      const { code, out, err } = await check(words);
      expect(err).toContain('error: ');
      expect(out).toBe('');
      expect(code).toBe(2);
    },
  );

  it('prints its help', async () => {
    const { code, out } = await check(['check', '--help']);
    expect(out).toContain('Usage: npm run cli -- models check [options] [file]');
    expect(out).toContain('--strict');
    expect(out).toContain('npm run cli -- models check config/ai_models.yml');
    expect(code).toBe(0);
  });
});
