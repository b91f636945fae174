import { tableOf } from '../../command-line';

/** What an import does, or would do. What is skipped has a fault; what is left out has none. */
export type Action = 'create' | 'set' | 'replace' | 'unchanged' | 'keep' | 'empty' | 'left out' | 'skip';

export interface ReportRow {
  readonly tenant: string;
  /** Empty for the tenant itself. */
  readonly provider: string;
  readonly action: Action;
  readonly mask?: string;
  readonly notes: readonly string[];
}

const heading = ['tenant', 'provider', 'action', 'key', 'note'];

/** Prints the rows of an import in tables, one for each page of tenants, and counts them. */
export class ImportReport {
  #rows: ReportRow[] = [];
  #tenants = 0;
  readonly #counts = new Map<Action, number>();
  readonly #created: Record<'create' | 'skip', number> = { create: 0, skip: 0 };

  /** The number of tenants and credentials that were skipped for a fault. */
  get faults(): number {
    return this.#created.skip + this.#count('skip');
  }

  /** The number of tenants and credentials that are written. */
  get changes(): number {
    return this.#created.create + this.#count('set') + this.#count('replace');
  }

  countTenant(): void {
    this.#tenants += 1;
  }

  add(row: ReportRow): void {
    this.#rows.push(row);
    const { provider, action } = row;
    if (provider === '' && (action === 'create' || action === 'skip')) this.#created[action] += 1;
    else this.#counts.set(action, this.#count(action) + 1);
  }

  /** Prints the rows since the last call. */
  print(): void {
    const cells = this.#rows.map(({ tenant, provider, action, mask = '', notes }) => [
      tenant,
      provider,
      action,
      mask,
      notes.join('; '),
    ]);
    this.#rows = [];
    if (cells.length > 0) process.stdout.write(`${tableOf([heading, ...cells])}\n`);
  }

  /** @param isPlan whether nothing was written */
  summary(isPlan: boolean): string {
    const created = `${this.#created.create} ${isPlan ? 'to create' : 'created'}`;
    const skipped = this.#created.skip > 0 ? `, ${this.#created.skip} skipped` : '';
    const words: readonly (readonly [Action, string])[] = [
      ['set', isPlan ? 'to set' : 'set'],
      ['replace', isPlan ? 'to replace' : 'replaced'],
      ['unchanged', 'unchanged'],
      ['keep', 'kept'],
      ['empty', 'empty'],
      ['left out', 'left out'],
      ['skip', 'skipped'],
    ];
    const counts = words.flatMap(([action, word]) =>
      action === 'set' || this.#count(action) > 0 ? [`${this.#count(action)} ${word}`] : [],
    );
    return [
      `${this.#tenants} ${this.#tenants === 1 ? 'tenant' : 'tenants'}: ${created}${skipped}.`,
      `Credentials: ${counts.join(', ')}.`,
      '',
    ].join('\n');
  }

  #count(action: Action): number {
    return this.#counts.get(action) ?? 0;
  }
}
