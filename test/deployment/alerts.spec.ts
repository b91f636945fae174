import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const root = join(__dirname, '../..');
const rulesFile = 'deploy/prometheus-rules.yml';
const testsFile = 'test/deployment/prometheus-rules.test.yml';

interface Rule {
  alert?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}
const { groups } = parse(readFileSync(join(root, rulesFile), 'utf8')) as { groups: { rules: Rule[] }[] };
const alerts = groups.flatMap(({ rules }) => rules).filter(({ alert }) => alert !== undefined);

function promtool(...args: string[]): string {
  const path = '/usr/bin/promtool';
  if (!existsSync(path)) throw new Error(`${path} is missing: apt-get install prometheus`);
  const { status, stdout, stderr } = spawnSync(path, args, { cwd: root, encoding: 'utf8', timeout: 120_000 });
  return `${status}: ${stdout}${stderr}`;
}

describe('the alert rules', () => {
  it('are valid', () => expect(promtool('check', 'rules', rulesFile)).toMatch(/^0: .*\n {2}SUCCESS/));

  it('fire when they should and not before', () => {
    expect(promtool('test', 'rules', testsFile)).toMatch(/^0: [^]*SUCCESS/);
  });

  it('each have a unit test', () => {
    const tests = readFileSync(join(root, testsFile), 'utf8');
    expect(alerts.length).toBeGreaterThan(20);
    for (const { alert } of alerts) expect(tests).toMatch(new RegExp(`alertname(="|: )${alert}\\b`));
  });

  it('each say what happened, what it means and what to do', () => {
    for (const { alert, labels, annotations } of alerts) {
      expect([alert, Object.keys(annotations ?? {}).sort()]).toEqual([
        alert,
        ['action', 'description', 'summary'],
      ]);
      expect([alert, ['critical', 'warning', 'info'].includes(labels?.severity ?? '')]).toEqual([
        alert,
        true,
      ]);
      for (const name of ['action', 'description'])
        expect([alert, annotations?.[name]]).toEqual([alert, expect.stringMatching(/^[A-Z'].*[.)]$/s)]);
    }
  });
});
