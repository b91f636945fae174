import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { problems } from '#http';
import { providers } from '#providers';

const read = (name: string) => readFileSync(join(__dirname, '..', name), 'utf8');

describe('the documents and the code say the same', () => {
  it("README's problem table is problem.ts, in both directions", () => {
    const expected = Object.entries(problems).map(([code, entry]) => {
      const also = 'alsoStatus' in entry ? entry.alsoStatus : [];
      return `| ${code} | ${[entry.status, ...also].join(', ')} | ${entry.title} |`;
    });
    const table = read('README.md').split('## Problems')[1]!.split('## Questions')[0]!;
    const rows = table
      .split('\n')
      .filter((line) => /^\| [a-z_]+ +\|/.test(line) && !line.startsWith('| code'));
    expect(rows.map((row) => row.replace(/ +/g, ' '))).toEqual(expected);
  });

  it('.env.example names every variable of every provider', () => {
    const names = new Set([...read('.env.example').matchAll(/^([A-Z_]+)=/gm)].map((match) => match[1]!));
    for (const { baseUrlVariables, globalVariables } of providers) {
      const wanted = [
        ...baseUrlVariables,
        globalVariables.apiKey,
        ...Object.values(globalVariables.settings),
      ];
      for (const name of wanted) expect(names).toContain(name);
    }
  });
});
