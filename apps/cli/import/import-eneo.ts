import { resolve } from 'node:path';
import { type Config } from '#config';
import { type CredentialResult, type ImportOptions, type TenantResult } from '#credentials';
import { type FernetService } from '#crypto';
import { isDatabaseUnavailable, sqlStateOf } from '#database';
import { Problem } from '#http';
import { ModelCatalogue, shippedModelsFile } from '#model-routing';
import { refuseWrongKey } from '../tenant-credentials';
import { asRefusal, changedByCommand, confirm, Refusal } from '../command-line';
import { writeNewFile } from '../files';
import { type Services, withServices } from '../services';
import { DeclaredProviders } from './eneo/declared-providers';
import { type ReadCredential, type Reading } from './eneo/credentials';
import { type EneoDatabase, type EneoTenant, withEneoDatabase } from './eneo/database';
import { readTenant, type ReadTenant } from './eneo/tenants';
import { type Action, ImportReport } from './eneo/report';

export interface EneoImport {
  /** The URL of the Eneo database. */
  readonly from: string;
  readonly oldKey?: FernetService;
  readonly replace: boolean;
  /** What to do with the plan: print it, ask on a terminal whether to carry it out, or carry it out. */
  readonly mode: 'print' | 'ask' | 'run';
  readonly providersFile?: string;
}

/** What one pass over the Eneo database needs. */
interface Pass {
  readonly services: Services;
  readonly source: EneoDatabase;
  readonly reading: Reading;
  readonly declared: DeclaredProviders;
  readonly options: ImportOptions;
  /** Writes nothing. */
  readonly isPlan: boolean;
  readonly report: ImportReport;
  /** The names of the tenants that the plan creates. */
  readonly names: Set<string>;
}

/**
 * Copies tenants and credentials of an Eneo database, and prints what it does.
 * @returns the number of tenants and credentials that were skipped for a fault
 * @throws Refusal
 */
export async function importEneo(
  config: Config,
  { from, oldKey, replace, mode, providersFile }: EneoImport,
): Promise<number> {
  if (config.encryptionKeys.current === undefined) {
    throw new Refusal(
      'ENCRYPTION_KEY is not set, and keys cannot be sealed without it. npm run generate-encryption-key prints a line for .env.',
    );
  }
  const { providers: registry } = ModelCatalogue.load(resolve(config.aiModelsFile ?? shippedModelsFile()));
  return withServices(config, (services) =>
    withEneoDatabase(from, async (source) => {
      const declared = new DeclaredProviders(registry.declared);
      const pass = async (isPlan: boolean) => {
        await refuseWrongKey(services, !isPlan);
        const reading = { services, registry, oldKey };
        const options = { replace, origin: 'import-eneo' };
        const report = new ImportReport();
        await importAll({ services, source, reading, declared, options, isPlan, report, names: new Set() });
        process.stdout.write(report.summary(isPlan));
        return report;
      };
      const isAsked = mode === 'ask' && process.stdin.isTTY && process.stderr.isTTY;
      let report = await pass(mode !== 'run');
      if (mode !== 'run' || providersFile === undefined) printProviders(declared);
      if (isAsked && report.changes > 0) {
        await confirm('Import them?');
        report = await pass(false);
      } else if (mode !== 'run') {
        const next = report.changes > 0 ? '; --yes carries out the plan' : '';
        process.stdout.write(`Nothing was changed${next}.\n`);
      }
      if (providersFile !== undefined && (isAsked || mode === 'run')) writeProviders(declared, providersFile);
      return report.faults;
    }),
  );
}

async function importAll(pass: Pass): Promise<void> {
  const { source, report, services, isPlan } = pass;
  try {
    for await (const page of source.pages()) {
      await importPage(pass, page);
      report.print();
    }
    if (!isPlan) await services.imports.inForce();
  } finally {
    // Everything that is printed is done, also when the command stops early.
    report.print();
  }
}

async function importPage(pass: Pass, page: readonly EneoTenant[]): Promise<void> {
  const { services, reading, declared, options, report } = pass;
  const tenants = page.map((tenant) => readTenant(tenant, reading, declared));
  const readable = tenants.filter((each): each is ReadTenant => !('fault' in each));
  const plans = await services.imports.plan(readable, options);
  const planOf = new Map(readable.map((tenant, index) => [tenant, plans[index]!]));
  for (const tenant of tenants) {
    report.countTenant();
    if ('fault' in tenant) {
      const { shownName, id, fault } = tenant;
      report.add({ tenant: shownName, provider: '', action: 'skip', notes: [id, fault] });
    } else await importTenant(pass, tenant, planOf.get(tenant)!);
  }
}

async function importTenant(pass: Pass, tenant: ReadTenant, plan: TenantResult): Promise<void> {
  const { report, declared } = pass;
  const { id, name } = tenant.fields;
  const add = (provider: string, action: Action, notes: readonly string[], mask?: string) =>
    report.add({ tenant: tenant.shownName, provider, action, mask, notes });
  const isTaken = plan.tenant === 'taken' || (plan.tenant === 'create' && pass.names.has(name));
  const result = isTaken ? 'another tenant of Tenkey has this name' : await resultOf(pass, tenant, plan);
  if (typeof result === 'string') return add('', 'skip', [id, result]);
  if (result.tenant === 'create') {
    pass.names.add(name);
    add('', 'create', [id, ...tenant.notes]);
  }
  for (const [index, credential] of tenant.credentials.entries()) {
    const stored = result.credentials[index]!;
    declared.use(credential.provider);
    const action = stored.action === 'unusable' ? 'skip' : stored.action;
    add(credential.provider.id, action, notesOf(credential, stored), stored.mask);
  }
  for (const { provider, action, reason } of tenant.skipped) add(provider, action, [reason]);
}

/** Stores what the plan says, unless it is only to be printed. @returns what was stored, or why nothing was */
async function resultOf(pass: Pass, tenant: ReadTenant, plan: TenantResult): Promise<TenantResult | string> {
  const { services, options, isPlan } = pass;
  const isWritten = ({ action }: CredentialResult) => action === 'set' || action === 'replace';
  if (isPlan || !(plan.tenant === 'create' || plan.credentials.some(isWritten))) return plan;
  try {
    return await services.imports.run(tenant, options, changedByCommand());
  } catch (error) {
    // The remaining tenants would fail in the same way.
    if (isDatabaseUnavailable(error)) throw error;
    if (!(error instanceof Problem)) {
      // The message of another error may contain what was read.
      const state = sqlStateOf(error);
      return `failed: ${state === undefined ? (error as Error).name : `SQLSTATE ${state}`}`;
    }
    if (error.code === 'encryption_key_mismatch') throw asRefusal(error);
    return error.code === 'tenant_conflict' ? 'another tenant of Tenkey has this name' : error.message;
  }
}

function notesOf(
  { notes, opened, provider }: ReadCredential,
  { action, keepsSeal, status }: CredentialResult,
): string[] {
  switch (action) {
    case 'set':
    case 'replace':
      return [...notes, ...(opened && !keepsSeal ? ['sealed again under the key that seals now'] : [])];
    case 'unchanged':
      return [];
    case 'keep':
      return [`has another ${provider.label} credential, which --replace overwrites`];
    case 'unusable':
      return [`has one that is ${status}, which --replace overwrites`];
  }
}

/** Prints what the model catalogue must declare. */
function printProviders({ missing, yaml }: DeclaredProviders): void {
  if (missing.length === 0) return;
  process.stdout.write(
    `\nThe model catalogue does not declare these providers yet. Calls can use their credentials when it does:\n\n${yaml}\n`,
  );
}

/** Writes the same to a file. @throws Refusal after printing it */
function writeProviders(declared: DeclaredProviders, file: string): void {
  if (declared.missing.length === 0) return;
  try {
    writeNewFile({ path: file, text: declared.yaml, mode: 0o666 });
  } catch (error) {
    printProviders(declared);
    throw error;
  }
  const ids = declared.missing.map(({ id }) => id).join(', ');
  process.stdout.write(
    `The model catalogue does not declare ${ids} yet. Their declarations are in the file of --providers-file.\n`,
  );
}
