import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig } from '#config';
import { generateKey } from '#crypto';
import { createLog } from '#log';
import { until } from '../../../test/support/until';
import { CatalogueWatch, staleReason } from './catalogue-watch';
import { ModelCatalogue } from './model-catalogue';

const config = loadConfig({
  INTRIC_SUPER_API_KEY: 'a-super-key-of-enough-length',
  ENCRYPTION_KEY: generateKey(),
  GDM_BASE_URL: 'not-a-url-sentinel',
});
const textOf = (...names: string[]) => names.map((name) => `- { name: ${name}, family: openai }\n`).join('');

describe('CatalogueWatch', () => {
  const folders: string[] = [];
  const watches: CatalogueWatch[] = [];
  afterEach(() => {
    for (const watch of watches.splice(0)) watch.stop();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  function newFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'tenkey-watch-'));
    folders.push(folder);
    return folder;
  }

  function start(file: string) {
    const lines: { level: number; msg: string; faults?: string[]; added?: string[] }[] = [];
    const log = createLog('trace', [], { write: (line) => void lines.push(JSON.parse(line)) });
    const catalogue = ModelCatalogue.load(file);
    const watch = CatalogueWatch.start(catalogue, log, config);
    watches.push(watch);
    const names = () => catalogue.all().map(({ name }) => name);
    return {
      catalogue,
      watch,
      lines,
      names,
      holds: (name: string) => until(() => names().includes(name), `a model named ${name}`),
    };
  }

  function modelFile(text = textOf('a')): string {
    const file = join(newFolder(), 'models.yml');
    writeFileSync(file, text);
    return file;
  }

  it('reloads a file that is written in place, and logs what changed', async () => {
    const file = modelFile(textOf('a', 'b'));
    const { catalogue, lines, holds } = start(file);
    const held = catalogue.find('b');
    writeFileSync(
      file,
      `- { name: a, family: openai, org: Town }\n${textOf('c')}- { name: d, family: e5 }\n`,
    );
    await holds('c');
    expect(lines[0]).toMatchObject({ added: ['c', 'd'], removed: ['b'], changed: ['a'] });
    expect(lines[0]!.msg).toContain('3 models; 2 added, 1 removed, 1 changed');
    expect(lines[1]).toMatchObject({ level: 40 });
    expect(lines[1]!.msg).toContain('d: no provider serves this family');
    // A running call keeps its model.
    expect(held.name).toBe('b');
    expect(Object.isFrozen(held)).toBe(true);
    expect(() => catalogue.find('b')).toThrow(expect.objectContaining({ code: 'model_not_found' }));
  });

  it('reloads the declared providers, and logs them and what is wrong with their variables', async () => {
    const file = modelFile();
    const { catalogue, lines, holds } = start(file);
    writeFileSync(
      file,
      'providers: [{ id: gdm, kind: vllm }]\ncompletion_models: [{ name: b, litellm_model_name: gdm/b }]\n',
    );
    await holds('b');
    expect(catalogue.providers.find('gdm')?.label).toBe('gdm');
    expect(lines[0]).toMatchObject({ added: ['b'], providers: ['gdm'] });
    expect(lines[1]).toMatchObject({
      level: 50,
      msg: expect.stringMatching(/^GDM_BASE_URL must be an http/),
    });
    writeFileSync(file, textOf('c'));
    await holds('c');
    expect(catalogue.providers.find('gdm')).toBeUndefined();
    expect(JSON.stringify(lines)).not.toContain('sentinel');
  });

  it('reloads a file that an editor replaces', async () => {
    const file = modelFile();
    const { holds } = start(file);
    for (const name of ['b', 'c']) {
      renameSync(file, `${file}~`);
      writeFileSync(`${file}.new`, textOf(name));
      renameSync(`${file}.new`, file);
      await holds(name);
    }
  });

  it("follows a ConfigMap's swap of ..data", async () => {
    const folder = newFolder();
    const version = (name: string) => {
      mkdirSync(join(folder, `..${name}`));
      writeFileSync(join(folder, `..${name}`, 'models.yml'), textOf(name));
      symlinkSync(`..${name}`, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    version('a');
    symlinkSync('..data/models.yml', join(folder, 'models.yml'));
    const { holds } = start(join(folder, 'models.yml'));
    for (const [old, name] of [
      ['a', 'b'],
      ['b', 'c'],
    ] as const) {
      version(name);
      rmSync(join(folder, `..${old}`), { recursive: true });
      await holds(name);
    }
  });

  it('notices a changed link further up the path, for which there is no event', async () => {
    const folder = newFolder();
    for (const name of ['a', 'b']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'models.yml'), textOf(name));
    }
    symlinkSync('a', join(folder, 'current'));
    const { holds } = start(join(folder, 'current', 'models.yml'));
    await new Promise((done) => setTimeout(done, 600));
    unlinkSync(join(folder, 'current'));
    symlinkSync('b', join(folder, 'current'));
    await holds('b');
  });

  it('serves the previous models while the file or its directory is missing', async () => {
    const file = modelFile();
    const { catalogue, lines, names, holds } = start(file);
    rmSync(dirname(file), { recursive: true });
    await until(() => catalogue.fault !== undefined, 'the fault');
    expect(staleReason(catalogue)).toBe(
      'models.yml: the model file cannot be read (ENOENT). Set AI_MODELS_FILE to a readable file.',
    );
    expect(names()).toEqual(['a']);
    mkdirSync(dirname(file));
    writeFileSync(file, textOf('a'));
    await until(() => catalogue.fault === undefined, 'the fixed file');
    expect(lines.at(-1)!.msg).toContain('0 added, 0 removed, 0 changed');
    writeFileSync(file, textOf('b'));
    await holds('b');
  });

  it('keeps the whole previous catalogue when one entry has a fault, logs every fault once, and recovers', async () => {
    const file = modelFile();
    const { catalogue, lines, names, holds } = start(file);
    writeFileSync(file, `${textOf('b')}- name: c\n- name: d\n  litellm_model_name: nobody/sentinel-value\n`);
    await until(() => catalogue.fault !== undefined, 'the fault');
    expect(names()).toEqual(['a']);
    expect(lines.map(({ level }) => level)).toEqual([50]);
    expect(lines[0]!.faults).toEqual([
      `${file}:2: c: a model without litellm_model_name needs a family`,
      expect.stringContaining(`${file}:4: d: litellm_model_name has an unknown provider prefix`),
    ]);
    expect(staleReason(catalogue)).toContain(
      'models.yml:2: c: a model without litellm_model_name needs a family',
    );
    expect(staleReason(catalogue)).not.toContain(dirname(file));
    expect(JSON.stringify(lines)).not.toContain('sentinel-value');
    appendFileSync(file, '# more\n');
    await new Promise((done) => setTimeout(done, 1200));
    expect(lines).toHaveLength(1);
    writeFileSync(file, textOf('e'));
    await holds('e');
    expect(catalogue.fault).toBeUndefined();
  });

  it('waits until a file is completely written', async () => {
    const file = modelFile();
    const { catalogue, lines, names, holds } = start(file);
    writeFileSync(file, '');
    for (let part = 0; part < 10; part += 1) {
      await new Promise((done) => setTimeout(done, 60));
      appendFileSync(file, `- name: m${part}\n`);
      await new Promise((done) => setTimeout(done, 60));
      appendFileSync(file, '  family: openai\n');
    }
    await holds('m9');
    expect(names()).toHaveLength(10);
    expect(catalogue.fault).toBeUndefined();
    expect(lines).toHaveLength(1);
  });

  it('puts the last of many quick changes in force', async () => {
    const file = modelFile();
    const { names, holds } = start(file);
    for (let turn = 0; turn < 30; turn += 1) {
      writeFileSync(file, turn % 3 === 0 ? '- {' : textOf(`turn${turn}`));
      await new Promise((done) => setTimeout(done, turn % 7 === 0 ? 300 : 5));
    }
    writeFileSync(file, textOf('last'));
    await holds('last');
    expect(names()).toEqual(['last']);
  });

  it('notices changes between the load and the start of the watch', async () => {
    const file = modelFile();
    const catalogue = ModelCatalogue.load(file);
    writeFileSync(file, textOf('b'));
    watches.push(
      CatalogueWatch.start(catalogue, createLog('silent', [], { write: () => undefined }), config),
    );
    await until(() => catalogue.all()[0]!.name === 'b', 'the second catalogue');
  });

  it('reloads at once on request, even a file that did not change, and logs it', () => {
    const file = modelFile();
    const { watch, lines, names } = start(file);
    writeFileSync(file, textOf('b'));
    watch.reload();
    expect(names()).toEqual(['b']);
    watch.reload();
    expect(lines.map(({ msg }) => msg)).toEqual([
      expect.stringContaining('1 added, 1 removed, 0 changed'),
      expect.stringContaining('0 added, 0 removed, 0 changed'),
    ]);
    writeFileSync(file, '- {');
    watch.reload();
    watch.reload();
    expect(lines.slice(2).map(({ level }) => level)).toEqual([50, 50]);
  });

  it('logs only the numbers of models when there are many', () => {
    const file = modelFile();
    const { watch, lines } = start(file);
    writeFileSync(file, textOf(...Array.from({ length: 30 }, (_, index) => `m${index}`)));
    watch.reload();
    expect(lines[0]).not.toHaveProperty('added');
    expect(lines[0]).toMatchObject({ removed: ['a'], msg: expect.stringContaining('30 added') });
  });

  it('does nothing after it has been stopped', async () => {
    const file = modelFile();
    const { watch, lines, names } = start(file);
    watch.stop();
    writeFileSync(file, textOf('b'));
    watch.reload();
    await new Promise((done) => setTimeout(done, 3000));
    expect(names()).toEqual(['a']);
    expect(lines).toEqual([]);
  });

  it('reports at most ten faults', () => {
    const file = modelFile();
    const { watch, catalogue } = start(file);
    writeFileSync(file, '- name: same\n'.repeat(40));
    watch.reload();
    const reason = staleReason(catalogue)!.split('\n');
    expect(reason).toHaveLength(11);
    expect(reason.at(-1)).toMatch(/^and \d+ more$/);
  });
});
