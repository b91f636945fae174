import { styleText } from 'node:util';
import { Option } from 'commander';

/** How the lines of a table may look. On a pipe or in a file they are never cut and have no colours. */
interface Screen {
  /** How many characters a line has; undefined: any number. */
  readonly columns: number | undefined;
  readonly hasColours: boolean;
}

export type Cell = string | number | boolean | null | undefined;
/** The columns of a table: the title, and the cell of each row. The title is also the name in CSV, where it has no blanks. */
export type Columns<Row> = Readonly<Record<string, (row: Row) => Cell>>;

type Style = Parameters<typeof styleText>[0];

/** The option of every command that can print JSON. */
export const jsonOption = () => new Option('--json', 'print JSON');
export const csvOption = () => new Option('--csv', 'print CSV, with a heading').conflicts('json');

/**
 * Text from a database or a response as it may be written to a terminal. Control characters, which could move the cursor, rename the
 * window or hide what follows, and characters that change the direction of writing, appear as `\u{1b}`.
 */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** The same for text of several lines. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

/** A line of JSON in which such characters are escaped, which changes nothing for a program that reads it. */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      const unit = character.charCodeAt(index).toString(16);
      return `\\u${unit.padStart(4, '0')}`;
    }).join(''),
  );
  return `${text}\n`;
}

/** Rows as CSV; the first row is the heading. The lines are those of the usage reports, in which no cell is a formula. */
export async function csvOf(rows: readonly (readonly Cell[])[]): Promise<string> {
  const { csvLine } = await import('#http');
  const cells = (row: readonly Cell[]) =>
    row.map((cell) => (typeof cell === 'number' ? cell : visible(String(cell ?? ''))));
  return rows.map((row) => csvLine(cells(row))).join('');
}

/** Node decides about colours: it knows the terminal, NO_COLOR and FORCE_COLOR. */
export function screen(): Screen {
  const { isTTY, columns } = process.stdout;
  return isTTY
    ? { columns: columns > 0 ? columns : undefined, hasColours: process.stdout.hasColors() }
    : { columns: undefined, hasColours: false };
}

export function styled(
  style: Style,
  text: string,
  { hasColours }: Pick<Screen, 'hasColours'> = screen(),
): string {
  // Whether there are colours is decided; styleText would look at the terminal again.
  return hasColours ? styleText(style, text, { validateStream: false }) : text;
}

/** Words that a table shows in a colour when a cell has nothing else. */
const stylesOfWords: Readonly<Record<string, Style>> = {
  ...Object.fromEntries(['ready', 'accepted', 'active', 'done'].map((word) => [word, 'green'])),
  ...Object.fromEntries(['expiring', 'staged', 'previous', 'unreachable'].map((word) => [word, 'yellow'])),
  ...Object.fromEntries(
    [
      ...['rejected', 'expired', 'suspended', 'plaintext', 'unreadable', 'tampered', 'refused'],
      ...['forbidden', 'quota', 'wrong_host', 'network_rules'],
    ].map((word) => [word, 'red']),
  ),
};

/**
 * Rows of cells as lines with aligned columns. The first row is the heading. If the lines are longer than the terminal, the longest
 * cells are cut; on a narrow one, empty columns and those of UUIDs are left out first, since a part of a UUID is of no use.
 */
export function tableOf(rows: readonly (readonly string[])[], on: Screen = screen()): string {
  const all = rows.map((row) => row.map(visible));
  const widths = fitted(all, LEAST_WIDTH_WITH_IDS, on.columns);
  if (widths) return linesOf(all, widths, on);
  const isKept = (_: unknown, column: number) =>
    column === 0 || !all.slice(1).every((row) => /^([0-9a-f-]{36})?$/.test(row[column] ?? ''));
  const kept = all.map((row) => row.filter(isKept));
  return linesOf(kept, fitted(kept, LEAST_WIDTH, on.columns) ?? kept[0]!.map(() => LEAST_WIDTH), on);
}

function linesOf(
  [heading = [], ...lines]: readonly (readonly string[])[],
  widths: readonly number[],
  on: Screen,
): string {
  const lineOf = (row: readonly string[], styleOf: (cell: string) => Style | undefined) => {
    // Blanks at the end of a line would wrap it on a narrow terminal.
    const last = row.findLastIndex((cell) => cell !== '');
    const cells = row.slice(0, last + 1).map((cell, column) => {
      const width = widths[column] ?? 0;
      const text = shortened(cell, width);
      const style = styleOf(cell);
      const padding = column === last ? 0 : Math.max(0, width - widthOf(text));
      return (style === undefined ? text : styled(style, text, on)) + ' '.repeat(padding);
    });
    return `${cells.join('  ')}\n`;
  };
  const styleOfCell = (cell: string) =>
    Object.hasOwn(stylesOfWords, cell) ? stylesOfWords[cell] : undefined;
  return [lineOf(heading, () => 'bold'), ...lines.map((line) => lineOf(line, styleOfCell))].join('');
}

/** What the cut cells of a column keep at least; the first, while the table still has its columns of ids. */
const LEAST_WIDTH_WITH_IDS = 24;
const LEAST_WIDTH = 8;

/** @returns the width of each column; undefined if the lines would be too long even with cells of the least width */
function fitted(
  rows: readonly (readonly string[])[],
  least: number,
  columns = Infinity,
): readonly number[] | undefined {
  const natural = (rows[0] ?? []).map((_, column) =>
    rows.reduce((most, row) => Math.max(most, widthOf(row[column] ?? '')), 0),
  );
  const isId = natural.map((_, column) =>
    rows.slice(1).some((row) => /^[0-9a-f-]{36}$/.test(row[column] ?? '')),
  );
  const within = (limit: number) =>
    natural.map((width, column) => (isId[column] ? width : Math.min(width, limit)));
  const total = (widths: readonly number[]) =>
    widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1));
  for (
    let limit = natural.reduce((most, width) => Math.max(most, width), least);
    limit >= least;
    limit -= 1
  ) {
    const widths = within(limit);
    if (total(widths) <= columns) return widths;
  }
  return undefined;
}

function shortened(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += widthOf(character);
    if (used > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

const isWide =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u;

/** How many cells of a terminal a text takes: a mark takes none, and a wide character two. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += /\p{M}/u.test(character) ? 0 : isWide.test(character) ? 2 : 1;
  return width;
}
