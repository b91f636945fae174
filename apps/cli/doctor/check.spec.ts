import { addFinding, addressNames, fault, type Finding, type ServerFacts, warning } from '#database';
import { type Check, resultsOf } from './check';
import { inText } from './report';
import { ofConnection, ofDisk, ofServer } from './server-checks';

const finding = (name: string, ...findings: Finding[]): Check => ({
  name,
  run: () => Promise.resolve({ text: 'nothing is wrong', findings }),
});
const failing = (name: string, error: Error): Check => ({ name, run: () => Promise.reject(error) });

describe('the checks of the doctor', () => {
  it('go on after one that fails', async () => {
    expect(await resultsOf([failing('first', new Error('no such column')), finding('second')])).toEqual([
      expect.objectContaining({
        name: 'first',
        status: 'fault',
        text: 'this could not be checked: no such column',
      }),
      { name: 'second', status: 'ok', text: 'nothing is wrong' },
    ]);
  });

  it('stop when the database is unavailable, with one line for the rest', async () => {
    const lost = Object.assign(new Error('getaddrinfo ENOTFOUND a-part-of-a-password'), {
      code: 'ENOTFOUND',
    });
    const results = await resultsOf([failing('first', lost), finding('second'), finding('third')]);
    expect(results).toEqual([
      expect.objectContaining({ status: 'fault', text: 'the database is unavailable: ENOTFOUND' }),
      { name: 'second, third', status: 'not run', text: 'the database has become unavailable' },
    ]);
  });

  it('are left out after a fault that makes them pointless, and not after a warning', async () => {
    const needed = (check: Check): Check => ({ ...check, needed: 'these need it' });
    const [fatal, harmless] = [fault('wrong', 'fix'), warning('odd', 'fix')];
    const after = async (found: typeof fatal) =>
      (await resultsOf([needed(finding('first', found)), finding('second')])).at(-1);
    expect(await after(fatal)).toEqual({ name: 'second', status: 'not run', text: 'these need it' });
    expect(await after(harmless)).toMatchObject({ name: 'second', status: 'ok' });
  });

  it('name at most twenty findings and count the rest', async () => {
    const many: Finding[] = [];
    for (let row = 0; row < 100_000; row += 1) addFinding(many, fault(`row ${row}`, 'fix'));
    expect(many).toHaveLength(1000);
    const results = await resultsOf([finding('rows', ...many)]);
    expect(results).toHaveLength(21);
    expect(results.at(-1)).toEqual({
      name: 'rows',
      status: 'fault',
      text: '99980 more of this check are not listed',
    });
  });

  it('print one line for each result, and nothing that a terminal obeys', async () => {
    const text = inText(
      await resultsOf([finding('tenants', fault('\u001b[2J\nby name', 'Do it.')), finding('seals')]),
    );
    expect(text).toBe(
      [
        'fault    tenants: \\u{1b}[2J\\u{a}by name. Do it.',
        'ok       seals: nothing is wrong',
        '1 fault, 0 warnings',
        '',
      ].join('\n'),
    );
  });

  it('know an old server, a replica, and a connection that others can read', () => {
    const sound: ServerFacts = {
      version: '18.4',
      versionNumber: 180_004,
      isReplica: false,
      isReadOnly: false,
      replicationRole: 'origin',
      isDurable: true,
      size: '8 MB',
      maximumConnections: 97,
      connections: 2,
      hasTls: false,
      isOverNetwork: true,
      clockAheadMs: 0,
    };
    const names = addressNames('DATABASE_HOST');
    const texts = (change: Partial<ServerFacts>) =>
      ofServer({ ...sound, ...change }, names).map(({ text }) => text);
    expect(texts({})).toEqual([]);
    expect(texts({ version: '14.9', versionNumber: 140_009 })).toEqual(['PostgreSQL 14.9 is too old']);
    expect(texts({ isReplica: true, isReadOnly: true })).toEqual([expect.stringContaining('is a replica')]);
    expect(texts({ isDurable: false })).toEqual([expect.stringContaining('can lose or damage')]);
    expect(ofConnection(sound, names, true).findings).toMatchObject([
      { severity: 'warning', fix: expect.stringMatching(/ in DATABASE_PARAMETERS\.$/) },
    ]);
    expect(ofServer({ ...sound, isReplica: true }, names)).toMatchObject([
      { fix: 'Set DATABASE_HOST to that of the primary.' },
    ]);
    expect(ofConnection({ ...sound, isOverNetwork: false }, names, true).text).not.toContain('this machine');
    expect(ofConnection(sound, names, false).findings).toBeUndefined();
    for (const safe of [{ hasTls: true }, { isOverNetwork: false }]) {
      expect(ofConnection({ ...sound, ...safe }, names, true).findings).toBeUndefined();
    }
  });

  it('warn of a disk that is nearly full', () => {
    const severities = [2 ** 31, 2 ** 29, 2 ** 26].map((free) =>
      ofDisk(free).findings.map(({ severity }) => severity),
    );
    expect(severities).toEqual([[], ['warning'], ['fault']]);
  });
});
