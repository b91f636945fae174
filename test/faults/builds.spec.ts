import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '../..');

/** A small project with the script that builds and starts Tenkey. */
describe('a start builds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenkey-build-'));
  const file = (path: string) => join(folder, path);
  const write = (text: string) =>
    writeFileSync(file('apps/api/main.ts'), `process.stdout.write('${text}\\n');\n`);
  beforeAll(() => {
    for (const name of [
      'package.json',
      'tsconfig.json',
      'tsconfig.build.json',
      'nest-cli.json',
      'scripts/run.cjs',
    ])
      cpSync(join(root, name), file(name));
    for (const name of ['apps/api', 'apps/cli', 'apps/console', 'libs'])
      mkdirSync(file(name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), file('node_modules'));
    writeFileSync(file('apps/cli/main.ts'), 'process.exitCode = 0;\n');
    writeFileSync(file('apps/console/build.cjs'), "require('node:fs').mkdirSync('dist/console');\n");
    writeFileSync(file('apps/api/ai_models.yml'), 'completion_models: []\n');
    write('first');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function start(env: Record<string, string> = {}) {
    const { PATH = '' } = process.env;
    const child = spawn(process.execPath, ['scripts/run.cjs', 'apps/api/main.js'], {
      cwd: folder,
      env: { PATH, ...env },
    });
    const started = performance.now();
    let firstMs = Infinity;
    const texts = { output: '', errors: '' };
    child.stdout.on('data', (part: Buffer) => {
      firstMs = Math.min(firstMs, performance.now() - started);
      texts.output += part.toString();
    });
    child.stderr.on('data', (part: Buffer) => (texts.errors += part.toString()));
    const code = await new Promise((done) => child.on('close', done));
    const lines = texts.output.trim().split('\n');
    return {
      ...texts,
      code,
      firstMs,
      lines,
      said: lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)),
    };
  }

  /** Name and time of change of every file. */
  const state = () =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.startsWith('node_modules'))
      .map((name) => `${name} ${statSync(file(name)).mtimeMs}`)
      .sort();

  it('in production never, and says what to do when nothing is built', async () => {
    const { code, said, errors } = await start({ NODE_ENV: 'production' });
    expect([code, said, errors]).toEqual([
      3,
      [expect.objectContaining({ level: 60, msg: expect.stringContaining('npm run build') })],
      '',
    ]);
  });

  it('at first, and says at once what happens and about how long it takes', async () => {
    const { code, lines, said, firstMs } = await start();
    expect([code, lines.at(-1)]).toEqual([0, 'first']);
    expect(said[0]).toMatchObject({
      level: 30,
      msg: expect.stringMatching(/first start: compiling .* takes about/),
    });
    expect(said.at(-1).msg).toMatch(/^compiled in \d+ s$/);
    expect(firstMs).toBeLessThan(2000);
  });

  it('not after a change of the catalogue, and writes nothing then', async () => {
    writeFileSync(file('apps/api/ai_models.yml'), 'completion_models: [] # changed\n');
    const before = state();
    expect((await start()).lines).toEqual(['first']);
    expect(state()).toEqual(before);
  });

  it.each<[string, Record<string, string>, string]>([
    ['of the process', { NODE_ENV: 'production' }, ''],
    ['of .env', {}, 'NODE_ENV=production\n'],
  ])(
    'not in production by NODE_ENV %s: it starts what is built, says that it is stale, and writes nothing',
    async (_, env, dotenv) => {
      write('second');
      writeFileSync(file('.env'), dotenv);
      const before = state();
      const { code, lines, said } = await start(env);
      expect([code, lines.at(-1), state()]).toEqual([0, 'first', before]);
      expect(said).toEqual([
        expect.objectContaining({ level: 40, msg: expect.stringContaining('The sources have changed') }),
      ]);
      rmSync(file('.env'));
    },
  );

  it('after a change of a source', async () => {
    expect((await start()).lines.at(-1)).toBe('second');
    const { lines } = await start();
    expect(lines).toEqual(['second']);
  });
});
