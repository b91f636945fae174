import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '#config';
import { problems } from '#http';
import { providers } from '#providers';

const text = (name: string) => readFileSync(join(__dirname, '..', name), 'utf8');

describe('the documents and the code say the same', () => {
  it("README's problem table is problem.ts, in both directions", () => {
    const expected = Object.entries(problems).map(([code, entry]) => {
      const also = 'alsoStatus' in entry ? entry.alsoStatus : [];
      return `| ${code} | ${[entry.status, ...also].join(', ')} | ${entry.title} |`;
    });
    const table = text('README.md').split('## Problems')[1]!.split('## Questions')[0]!;
    const rows = table
      .split('\n')
      .filter((line) => /^\| [a-z_]+ +\|/.test(line) && !line.startsWith('| code'));
    expect(rows.map((row) => row.replace(/ +/g, ' '))).toEqual(expected);
  });

  it('.env.example has exactly the variables that are read', () => {
    const read = new Set<string>(['TEST_DATABASE_URL']);
    const values: Record<string, string> = {
      TENANT_CREDENTIALS_ENABLED: 'false',
      INTRIC_SUPER_API_KEY: 'a-super-key-of-enough-length',
    };
    for (const { globalVariables } of providers) values[globalVariables.apiKey] = 'any-global-key';
    const env = new Proxy(values, {
      get: (target, name: string) => {
        read.add(name);
        return target[name];
      },
    });
    const config = loadConfig(env);
    for (const provider of providers) config.globalCredential(provider);
    const documented = [...text('.env.example').matchAll(/^([A-Z_]+)=/gm)].map((match) => match[1]!);
    expect([...documented].sort()).toEqual([...read].sort());
  });

  it("README's table of providers is the registry, in both directions", () => {
    const expected = providers.map(({ id, fields, globalVariables }) => {
      const names = (required: boolean) =>
        fields
          .filter((field) => field.required === required)
          .map(({ name }) => name)
          .join(', ');
      const variables = [globalVariables.apiKey, ...Object.values(globalVariables.settings)].join(', ');
      return `| ${id} | ${names(true)} | ${names(false)} | ${variables} |`.replace(/ +/g, ' ');
    });
    const table = text('README.md').split('## Providers')[1]!.split('## ')[0]!;
    const rows = table.split('\n').filter((line) => /^\| [a-z_]+ +\|/.test(line) && !line.startsWith('| id'));
    expect(rows.map((row) => row.replace(/ +/g, ' ')).sort()).toEqual(expected.sort());
  });

  it('every `npm run` that README names exists', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    const named = [...text('README.md').matchAll(/npm run ([a-z:-]+)/g)].map((match) => match[1]!);
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect(scripts).toHaveProperty(name);
  });
});
