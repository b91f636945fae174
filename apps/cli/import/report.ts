import { type Secret } from '#crypto';
import { type Finding } from '#model-routing';
import { type Provider } from '#providers';
import { counted } from '../command-line';
import { visible } from '../output';
import { type Stored } from '../tenant-credentials';
import { type MadeImport } from './made-import';

interface ReportOptions {
  /** The configuration. */
  readonly file: string;
  readonly json: boolean;
  /** Whether the catalogue is printed, and not written to a file. */
  readonly isPrinted: boolean;
  /** Where the keys go; undefined: nowhere. */
  readonly keysTo: 'env' | 'tenants' | undefined;
}

/**
 * Prints what an import does, as it does it. The text goes to standard error when the catalogue goes to standard output. JSON is
 * printed as a whole at the end.
 */
export class Report {
  readonly #findings: Finding[] = [];
  readonly #files: { path: string; written: boolean }[] = [];
  readonly #stored: (Stored & { provider: string })[] = [];
  #storing = '';

  constructor(
    private readonly made: MadeImport,
    private readonly options: ReportOptions,
  ) {}

  find(...findings: readonly Finding[]): void {
    this.#findings.push(...findings);
    for (const { severity, file, line, reason } of findings) {
      const place = line === undefined ? `${file}:` : `${file}:${line}:`;
      this.#say(`${place} ${severity === 'warning' ? 'warning: ' : ''}${reason}`);
    }
  }

  /** @param isNew false: the file was there already, with the same text */
  file(path: string, isNew: boolean): void {
    this.#files.push({ path, written: isNew });
    this.#say(isNew ? `${path} is written` : `${path} is already written`);
  }

  /** The credential that `stored` is about from now on. */
  storing({ id, label }: Provider, apiKey: Secret): void {
    this.#storing = id;
    this.#say(`${label} (${id}): ${apiKey.mask}`);
  }

  stored(stored: Stored): void {
    this.#stored.push({ ...stored, provider: this.#storing });
    this.#say(`  ${stored.result.padEnd(11)} ${visible(stored.tenant.name)} (${stored.tenant.id})`);
  }

  /** @returns false if something was not carried over, or nothing was */
  end(): boolean {
    if (this.options.json) process.stdout.write(`${JSON.stringify(this.#asJson(), undefined, 2)}\n`);
    else {
      if (this.options.keysTo !== 'tenants') this.#listCredentials();
      this.#say(this.#summary());
      if (this.options.isPrinted) process.stdout.write(this.made.catalogue ?? '');
    }
    if (this.made.catalogue === undefined) return false;
    return this.#count('fault') === 0 && this.#stored.every(({ outcome }) => outcome !== 'failed');
  }

  #listCredentials(): void {
    const isInFile = this.options.keysTo === 'env';
    for (const { provider, fields } of this.made.credentials) {
      const variable = isInFile ? `, as ${provider.globalVariables.apiKey}` : '';
      this.#say(`${provider.label} (${provider.id}): ${fields.apiKey.mask}${variable}`);
    }
    if (isInFile || this.made.credentials.length === 0) return;
    this.#say(
      'These keys were not stored: --env-out writes them to a file, and --tenants stores them for tenants.',
    );
  }

  #summary(): string {
    const { catalogue, models, declared, credentials } = this.made;
    const counts = `${counted(this.#count('fault'), 'fault')}, ${counted(this.#count('warning'), 'warning')}`;
    if (catalogue === undefined) return `No catalogue was made. ${counts}`;
    const made = `${counted(models.length, 'model')}, ${counted(declared.length, 'declared provider')}, ${counted(credentials.length, 'credential')}. ${counts}`;
    if (this.#stored.length === 0) return made;
    const of = (outcome: Stored['outcome']) => this.#stored.filter((each) => each.outcome === outcome).length;
    const isPlan = this.#stored.some(({ result }) => result.startsWith('would'));
    const plan = isPlan ? ' No credential was stored; --yes stores them.' : '';
    return `${made}\nCredentials of tenants: ${of('set')} ${isPlan ? 'to set' : 'set'}, ${of('skipped')} skipped, ${of('failed')} failed.${plan}`;
  }

  #asJson() {
    const { catalogue, models, declared, credentials } = this.made;
    return {
      file: this.options.file,
      models: models.length,
      declared_providers: declared.map(({ id }) => id),
      credentials: credentials.map(({ provider, fields, place }) => ({
        provider: provider.id,
        masked_key: fields.apiKey.mask,
        config: fields.settings,
        global_variable: provider.globalVariables.apiKey,
        file: place.file,
        line: place.line,
      })),
      files: this.#files,
      tenants: this.#stored.map(({ provider, tenant, outcome, result }) => ({
        provider,
        tenant_id: tenant.id,
        tenant: tenant.name,
        outcome,
        result,
      })),
      faults: this.#count('fault'),
      warnings: this.#count('warning'),
      findings: this.#findings,
      ...(this.options.isPrinted && catalogue !== undefined && { catalogue }),
    };
  }

  #count(of: Finding['severity']): number {
    return this.#findings.filter(({ severity }) => severity === of).length;
  }

  #say(line: string): void {
    if (this.options.json) return;
    const stream = this.options.isPrinted ? process.stderr : process.stdout;
    stream.write(`${line}\n`);
  }
}
