import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli, runCliProcess } from './support/cli';

describe('npx tenkey models check', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenkey-models-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  jest.setTimeout(180_000);

  /** Runs without a database, a key, or any other setting. */
  const none = { INTRIC_SUPER_API_KEY: undefined, PLATFORM_API_KEY: undefined, ENCRYPTION_KEY: undefined };
  const check = (words: string[], env: Record<string, string> = {}) =>
    runCli({ ...none, ...env }, 'models', ...words);

  function file(name: string, text: string): string {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  }

  it('finds nothing in the shipped file, not even a legacy model, and prints a summary', async () => {
    const { code, stdout } = await check(['check', '--strict'], { AI_MODELS_FILE: ' ' });
    expect(stdout).toMatch(/^\d+ models: openai \d+, .*; litellm \d+\n0 faults, 0 warnings\n$/);
    expect(code).toBe(0);
  });

  it('names every fault of every entry by line, and exits with 1', async () => {
    const path = file(
      'faults.yml',
      'completion_models:\n- name: a\n  litellm_model_name: opnai/x\n  base_url: 7\n- name: a\n- family: e5\n  name: e\n',
    );
    const { code, stdout, stderr } = await runCliProcess(none, 'models', 'check', path);
    expect(stdout.split('\n')).toEqual([
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
    expect(stderr).toBe('');
    expect(code).toBe(1);
  });

  it('names the faults of YAML, and a file that does not exist', async () => {
    const broken = file('broken.yml', '- name: a\n\tfamily: openai\n');
    expect(await check(['check', broken])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(`${broken}:2: `),
    });
    expect(await check(['check', join(folder, 'none.yml')])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('none.yml: the model file cannot be read (ENOENT)'),
    });
  });

  it('accepts warnings without --strict, and reads AI_MODELS_FILE by default', async () => {
    const AI_MODELS_FILE = file('warnings.yml', '- name: a\n  family: openai\n  hostng: eu\n');
    const plain = await check(['check'], { AI_MODELS_FILE });
    expect(plain.stdout).toContain(
      `${AI_MODELS_FILE}:3: warning: a: unknown field hostng; did you mean hosting?`,
    );
    expect(plain.code).toBe(0);
    expect((await check(['check', '--strict'], { AI_MODELS_FILE })).code).toBe(1);
  });

  it('prints JSON for programs', async () => {
    const path = file('machine.yml', '- name: a\n  litellm_model_name: azure/x\n- name: b\n');
    const { code, stdout } = await check(['check', '--json', path]);
    expect(JSON.parse(stdout)).toEqual({
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

  it('counts the models of a declared provider, whatever its id is', async () => {
    const path = file(
      'ids.yml',
      'providers: [{ id: constructor, kind: vllm }]\ncompletion_models: [{ name: a, litellm_model_name: constructor/x }]\n',
    );
    const { stdout } = await check(['check', path]);
    expect(stdout).toBe('1 model: constructor 1; litellm 1\n0 faults, 0 warnings\n');
  });

  it.each([[['check', '--nothing']], [['check', 'one.yml', 'two.yml']], [['check', '']], [['chekc']], [[]]])(
    'exits with 2 for wrong usage: %j',
    async (words) => {
      const { code, stdout, stderr } = await check(words);
      expect(stderr).toContain('error: ');
      expect(stdout).toBe('');
      expect(code).toBe(2);
    },
  );

  it('prints its help', async () => {
    const { code, stdout } = await runCliProcess(none, 'models', 'check', '--help');
    expect(stdout).toContain('Usage: tenkey models check [options] [file]');
    expect(stdout).toContain('--strict');
    expect(stdout).toContain('npx tenkey models check config/ai_models.yml');
    expect(code).toBe(0);
  });
});
