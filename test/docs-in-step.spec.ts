import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { loadConfig } from '#config';
import { problems } from '#http';
import { fixedProviders } from '#providers';
import { runCli } from './support/cli';
import { exitCodes } from '../apps/cli/command-line';

const root = join(__dirname, '..');
const text = (name: string) => readFileSync(join(root, name), 'utf8');

/** README, and every page that it links to directly or indirectly. */
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'AGENTS.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
    .sort(),
];

/** The cells of each row of the tables in one section of a page, without the head. */
function rowsOf(page: string, heading: string): string[][] {
  const section = text(page).split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!;
  const cells = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return cells.slice(2);
}

/** The first and the last cell of each row of the tables whose last column is `test`. */
function rowsWithTests(page: string): [what: string, tests: string][] {
  let hasTests = false;
  const lines = text(page).split('\n');
  return lines.flatMap((line, at): [string, string][] => {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length < 4) return [];
    const isHead = lines[at + 1]!.startsWith('| -');
    if (isHead) hasTests = cells.at(-2) === 'test';
    return !hasTests || isHead || cells[1]!.startsWith('--') ? [] : [[cells[1]!, cells.at(-2)!]];
  });
}

/** Whether there is a test `file`: describe › it, with these titles as the file writes them. */
function isTest(named: string): boolean {
  const [, file = '', titles = ''] = /^`([^`]+\.spec\.ts)`: (.+)$/.exec(named) ?? [];
  if (!existsSync(join(root, file)) || file === '') return false;
  const source = text(file).replaceAll(/\(\s+/g, '(');
  const isTitle = (title: string) =>
    ["'", '"', '`'].some((quote) => source.includes(`(${quote}${title}${quote},`));
  return titles.split(' › ').every(isTitle);
}

/** A page without its code blocks, where text may look like a link or a heading without being one. */
function proseOf(page: string): string {
  return text(page).replaceAll(/^```[^]*?^```/gm, '');
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('the documentation agrees with the code:', () => {
  it('the problem table is problem.ts, in both directions, and says what to do about each code', () => {
    const expected = Object.entries(problems).map(([code, entry]) => {
      const also = 'alsoStatus' in entry ? entry.alsoStatus : [];
      return [code, [entry.status, ...also].join(', '), entry.title];
    });
    const rows = rowsOf('docs/problems.md', 'Codes');
    expect(rows.map((row) => row.slice(0, 3))).toEqual(expected);
    for (const [code, , , advice] of rows)
      expect([code, advice]).toEqual([code, expect.stringMatching(/.\.$/)]);
  });

  it('.env.example has exactly the variables that are read, apart from those of other programs for a proxy', () => {
    const read = new Set<string>(['TEST_DATABASE_URL']);
    const values: Record<string, string> = {
      TENANT_CREDENTIALS_ENABLED: 'false',
      INTRIC_SUPER_API_KEY: 'a-super-key-of-enough-length',
    };
    for (const { globalVariables } of fixedProviders) values[globalVariables.apiKey] = 'any-global-key';
    const env = new Proxy(values, {
      get: (target, name: string) => {
        read.add(name);
        return target[name];
      },
    });
    const config = loadConfig(env);
    for (const provider of fixedProviders) config.globalCredential(provider);
    const documented = [...text('.env.example').matchAll(/^([A-Z_]+)=/gm)].map((match) => match[1]!);
    // They are other programs' too, so a blank line for them would only mislead.
    const usual = [...read].filter((name) => /^(https?|all|no)_proxy$/i.test(name));
    expect([...documented, ...usual].sort()).toEqual([...read].sort());
    for (const name of usual) expect(text('docs/settings.md')).toContain(`\`${name.toUpperCase()}\``);
  });

  it('the table of credentials is the registry, in both directions', () => {
    const expected = fixedProviders.map(({ id, fields, globalVariables }) => {
      const names = (required: boolean) =>
        fields
          .filter((field) => field.required === required)
          .map(({ name }) => name)
          .join(', ');
      const variables = [globalVariables.apiKey, ...Object.values(globalVariables.settings)].join(', ');
      return [id, names(true), names(false), variables];
    });
    expect(rowsOf('docs/providers.md', 'Credentials').sort()).toEqual(expected.sort());
  });

  it("README's list of providers is the registry, in both directions", () => {
    const listed = rowsOf('README.md', 'Providers').flatMap((cells) => {
      const pairs = [cells.slice(0, 2), cells.slice(2, 4), cells.slice(4, 6)];
      return pairs.filter(([id]) => id !== '').map(([id, label]) => `${id} ${label}`);
    });
    expect(listed.sort()).toEqual(fixedProviders.map(({ id, label }) => `\`${id}\` ${label}`).sort());
  });

  it('README has at most 150 lines', () => {
    expect(text('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  });

  it.each(pages)('every `npm run` in %s exists', (page) => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    const named = [...text(page).matchAll(/npm run (?:--silent )?([a-z:-]+)/g)].map((match) => match[1]!);
    if (page === 'README.md') expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect(scripts).toHaveProperty(name);
  });

  it.each(pages)('every relative link in %s leads to a file, and to a heading in it', (page) => {
    const targets = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
    const broken = targets.filter((target) => {
      if (/^[a-z]+:/.test(target)) return false;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : relative(root, join(root, dirname(page), path));
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && !anchorsOf(file).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it.each(pages)('every source file that %s names exists', (page) => {
    const named = [...text(page).matchAll(/`((?:apps|libs|test|scripts)\/[^`\s<*]+\.(?:ts|cjs|yml))`/g)].map(
      ([, path]) => path!,
    );
    expect(named.filter((path) => !existsSync(join(__dirname, '..', path)))).toEqual([]);
  });

  it.each(['docs/security.md', 'docs/incidents.md'])(
    'every promise and every incident in %s has a test, which exists',
    (page) => {
      const rows = rowsWithTests(page);
      expect(rows.length).toBeGreaterThan(40);
      const missing = rows.flatMap(([what, tests]) =>
        tests
          .split('<br>')
          .filter((named) => !isTest(named))
          .map((named) => `${what}: ${named}`),
      );
      expect(missing).toEqual([]);
    },
  );

  it('the table of exit codes is the one of the command line, which its help prints', async () => {
    const { stdout } = await runCli({}, 'audit', 'verify', '--help');
    const rows = rowsOf('docs/command-line.md', 'Exit codes').map((cells) => cells.join(' '));
    for (const { code, meaning } of Object.values(exitCodes)) {
      expect(rows).toContain(`${code} ${meaning}`);
      expect(stdout).toContain(`  ${code}  ${meaning}\n`);
    }
  }, 60_000);

  it("the command line's own variables and options for the connection are in its page", () => {
    const source = text('apps/cli/remote/connection.ts');
    const named = new Set(source.match(/\bTENKEY_[A-Z_]+|--(?:url|key-file|timeout)\b/g));
    expect(named).toEqual(
      new Set(['--url', '--key-file', '--timeout', 'TENKEY_URL', 'TENKEY_KEY_FILE', 'TENKEY_KEY']),
    );
    const rows = rowsOf('docs/command-line.md', 'Commands that speak to a running Tenkey');
    for (const name of named) expect(rows.flat().join(' ')).toContain(`\`${name}\``);
  });

  it('every command of the command line that a page names exists, with its options', async () => {
    const optionsOf = new Map<string, string[]>();
    for (const page of pages) {
      for (const [, line = ''] of text(page).matchAll(/npx tenkey ([^`#\n]+)/g)) {
        const command = /^(?:[a-z][a-z-]*(?: +|$))*/.exec(line)![0].trim();
        const options = [...line.matchAll(/--[a-z]+/g)].map(([option]) => option);
        optionsOf.set(command, [...(optionsOf.get(command) ?? []), ...options]);
      }
    }
    expect([...optionsOf.keys()]).toEqual(expect.arrayContaining(['audit verify', 'models check']));
    for (const [command, options] of optionsOf) {
      const words = command.split(' ').filter((word) => word !== '');
      const { stdout } = await runCli({}, ...words, '--help');
      // Words after the command are arguments of it, such as the name of a tenant, if it takes that many.
      const [, name = '', usage = ''] = /^Usage: tenkey((?: [a-z-]+)*)(.*)$/m.exec(stdout) ?? [];
      const named = name.split(' ').slice(1);
      const takes = (usage.match(/[<[](?!command|options)[^\]>]+[\]>]/g) ?? []).length;
      expect([command, words.slice(0, named.length)]).toEqual([command, named]);
      expect([command, words.length - named.length <= takes]).toEqual([command, true]);
      for (const option of options)
        expect([command, stdout]).toEqual([command, expect.stringContaining(option)]);
    }
  }, 180_000);
});
