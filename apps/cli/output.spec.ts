import { jsonLine, tableOf, visible } from './output';

const id = '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10';
const rows = [
  ['name', 'note', 'id'],
  ['sundsvall', 'a long note that goes on and on', id],
  ['härnösand', '', id],
];
const pipe = { columns: undefined, hasColours: false };
const escape = '\u001b]0;title\u0007\u001b[31mred\u009b2J\u202e';

describe('a table', () => {
  it('is aligned and whole where there is no terminal', () => {
    expect(tableOf(rows, pipe)).toBe(
      [
        'name       note                             id',
        `sundsvall  a long note that goes on and on  ${id}`,
        `härnösand                                   ${id}`,
        '',
      ].join('\n'),
    );
  });

  it('cuts its longest cells to fit a terminal, and keeps ids whole', () => {
    expect(tableOf(rows, { columns: 75, hasColours: false })).toBe(
      [
        'name       note                        id',
        `sundsvall  a long note that goes on …  ${id}`,
        `härnösand                              ${id}`,
        '',
      ].join('\n'),
    );
  });

  it('leaves the ids out where they leave no room for the rest', () => {
    const table = tableOf(rows, { columns: 40, hasColours: false });
    expect(table.split('\n')).toEqual([
      'name       note',
      `sundsvall  ${'a long note that goes on and'}…`,
      'härnösand',
      '',
    ]);
  });

  it('counts wide characters as two, and marks as none', () => {
    const lines = tableOf(
      [
        ['name', 'x'],
        ['東京', 'a'],
        ['e\u0301', 'b'],
      ],
      pipe,
    ).split('\n');
    expect(lines).toEqual(['name  x', '東京  a', 'e\u0301     b', '']);
  });

  it('shows states in colours only on a terminal that has them', () => {
    const states = [['status'], ['rejected'], ['constructor']];
    expect(tableOf(states, pipe)).toBe('status\nrejected\nconstructor\n');
    expect(tableOf(states, { columns: 80, hasColours: true })).toContain('\u001b[31mrejected\u001b[39m');
  });

  it('prints any number of rows', () => {
    const many = Array.from({ length: 200_000 }, (_, index) => [String(index)]);
    expect(tableOf([['n'], ...many], pipe).length).toBe(1_288_892);
  });
});

it.each([
  ['text', visible(escape)],
  ['a table', tableOf([['name'], [escape]], pipe)],
  ['JSON', jsonLine({ name: escape })],
])('%s has no character that a terminal would obey', (_, printed) => {
  expect(printed).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
  expect(printed).toContain('title');
});

it('the JSON says the same as before', () => {
  const value = { name: escape, emoji: '👩\u{e0067}' };
  expect(JSON.parse(jsonLine(value))).toEqual(value);
});
