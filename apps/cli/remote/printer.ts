import { type Cell, type Columns, csvOf, jsonLine, tableOf, visible } from '../output';

export interface OutputOptions {
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** Prints responses of the API as the options say: as a table or text, as CSV, or as the JSON of the API, one response in each line. */
export class Printer {
  constructor(private readonly options: OutputOptions) {}

  /** A list, whose pages are printed as they arrive, except in a table, whose columns depend on all rows. */
  async list<Page, Row>(
    pages: AsyncIterable<Page> | Iterable<Page>,
    rowsOf: (page: Page) => readonly Row[],
    columns: Columns<Row>,
  ): Promise<void> {
    const { json = false, csv = false } = this.options;
    const titles = Object.keys(columns);
    const table: string[][] = [];
    // Not before the first page: a request that fails prints nothing.
    let heading = csv ? [titles] : [];
    for await (const page of pages) {
      if (json) {
        process.stdout.write(jsonLine(page));
        continue;
      }
      const rows = rowsOf(page).map((row) => Object.values(columns).map((cellOf) => cellOf(row)));
      if (csv) process.stdout.write(await csvOf([...heading, ...rows]));
      else table.push(...rows.map((row) => row.map(tableCell)));
      heading = [];
    }
    if (csv) process.stdout.write(await csvOf(heading));
    if (json || csv) return;
    if (table.length > 0)
      process.stdout.write(tableOf([titles.map((title) => title.replaceAll('_', ' ')), ...table]));
    else process.stderr.write('There are none.\n');
  }

  /** One object, with a line for each column that has a value; in CSV as a row. */
  async one<Row>(row: Row, columns: Columns<Row>): Promise<void> {
    if (this.options.json || this.options.csv) return this.list([row], () => [row], columns);
    const lines = Object.entries(columns)
      .map(([title, cellOf]) => [`${title.replaceAll('_', ' ')}:`, tableCell(cellOf(row))])
      .filter(([, value]) => value !== '');
    const width = Math.max(...lines.map(([title = '']) => title.length));
    process.stdout.write(
      lines.map(([title = '', value = '']) => `${title.padEnd(width)}  ${visible(value)}\n`).join(''),
    );
  }

  /** The result of a change: what it says, or the whole response. */
  message(response: object, text: string): void {
    process.stdout.write(this.options.json ? jsonLine(response) : `${visible(text)}\n`);
  }
}

/** What a person should know, but what does not belong to the result. */
export function note(text: string): void {
  process.stderr.write(`${visible(text)}\n`);
}

/** A time to the minute, which is all that a person needs. */
function tableCell(cell: Cell): string {
  return String(cell ?? '').replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d\.\d{3}Z$/, '$1 $2 UTC');
}
