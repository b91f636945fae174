import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { Command } from 'commander';
import { asRefusal, confirm, counted, exitCodes, Interrupted, Refusal } from '../command-line';
import { nameOfInput } from '../files';
import { jsonLine, jsonOption, visible } from '../output';
import { type Services } from '../services';
import { type Settings } from '../settings';
import { countsOf, summaryOf, textOfPlan } from './plan-text';
import { type Step, type TenantPlan } from './tenant-plan';

interface PlanOptions {
  readonly file: string;
  readonly prune?: boolean;
  readonly json?: boolean;
  readonly check?: boolean;
}

interface ApplyOptions extends PlanOptions {
  readonly yes?: boolean;
  readonly newKeysFile?: string;
}

const aboutFile = `
The file is YAML: a list \`tenants\`. Each tenant has a name, and the fields, credentials and keys that it should have. A field that
a tenant leaves out stays as it is; a credential and a key are described completely. npx tenkey schema prints a JSON schema for
editors.
A credential's key is in the variable that api_key_env names, or in the file that api_key_file names. Without either, the stored
key stays. Relative names of files are relative to the folder of the tenants file.`;

export function planCommand(settings: Settings): Command {
  return new Command('plan')
    .description(
      'Compare tenants, credentials and keys with a file that describes them. Shows masks and no keys, and changes nothing.',
    )
    .requiredOption('-f, --file <file>', 'the tenants file; - for standard input')
    .option('--prune', 'also show what would be deleted because the file does not describe it')
    .option('--check', 'exit with 1 when something differs, so that a job can watch for that')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `${aboutFile}

Examples:
  npx tenkey plan -f tenants.yml
  sops exec-env keys.enc.env 'npx tenkey plan -f tenants.yml'`,
    )
    .action(async (options: PlanOptions) => {
      const plans = await withPlans(settings, options, (_, each) => Promise.resolve(each));
      print(plans, options);
      const hasFaults = plans.some(({ faults }) => faults.length > 0);
      const differs = plans.some(({ steps }) => steps.length > 0);
      if (hasFaults || (options.check === true && differs)) process.exitCode = exitCodes.fault.code;
    });
}

export function applyCommand(settings: Settings): Command {
  return new Command('apply')
    .description(
      'Change tenants, credentials and keys to what a file describes. Shows the plan and asks before it starts.',
    )
    .requiredOption('-f, --file <file>', 'the tenants file; - for standard input')
    .option('--prune', 'also delete what the file does not describe')
    .option('--yes', 'start without a question')
    .option(
      '--new-keys-file <file>',
      'a new file for the tenant keys that are created, as lines of JSON; needed if the plan creates any',
    )
    .addHelpText(
      'after',
      `${aboutFile}
Each tenant is changed in one transaction, and the command waits until that is in force in every process. Running the
command again changes nothing. If it stops early, the tenants that it has printed are done.
With --prune, tenants that the file does not describe are deleted. A described tenant loses the credentials and keys that its
list does not have; without a list \`credentials\` or \`keys\` it keeps them.

Examples:
  npx tenkey apply -f tenants.yml
  sops exec-env keys.enc.env 'npx tenkey apply -f tenants.yml --yes'`,
    )
    .action(async (options: ApplyOptions) => {
      const failed = await withPlans(settings, options, async (services, plans) => {
        print(plans, options);
        refuseFaults(plans, options.newKeysFile);
        const changing = plans.filter(({ steps }) => steps.length > 0);
        if (changing.length === 0) return 0;
        if (options.yes !== true) await confirm('Change this?');
        const { refuseWrongKey } = await import('../tenant-credentials.js');
        await refuseWrongKey(services);
        return applyAll(services, changing, options);
      });
      if (failed > 0) process.exitCode = exitCodes.fault.code;
    });
}

/** Calls `run` with the plans for a file. @throws Refusal when the file is not valid, or nothing could be sealed */
async function withPlans<T>(
  settings: Settings,
  { file, prune = false }: PlanOptions,
  run: (services: Services, plans: readonly TenantPlan[]) => Promise<T>,
): Promise<T> {
  const config = await settings.load();
  if (config.encryptionKeys.current === undefined) {
    throw new Refusal(
      'ENCRYPTION_KEY is not set, and keys cannot be compared or sealed without it. Use the settings of the service.',
    );
  }
  const { catalogueOf, withServices } = await import('../services.js');
  const { ApiKeySources, readTenantsText } = await import('./api-key-sources.js');
  const { readTenants } = await import('./tenants-file.js');
  const { planTenants } = await import('./desired-state.js');
  const { refuseWrongKey } = await import('../tenant-credentials.js');
  const text = readTenantsText(file);
  const variables = await settings.variables();
  const apiKeys = new ApiKeySources(text, (name) => variables[name]);
  const desired = readTenants(text, catalogueOf(config).providers, apiKeys);
  return withServices(config, async (services) => {
    await refuseWrongKey(services, false);
    return run(services, await planTenants(services, desired, prune));
  });
}

function print(plans: readonly TenantPlan[], { file, json = false }: PlanOptions): void {
  const faults = plans.flatMap((plan) => plan.faults).sort((a, b) => a.line - b.line);
  if (json) {
    const changes = plans
      .filter(({ steps }) => steps.length > 0)
      .map(({ tenantId, name, steps }) => ({ tenant_id: tenantId, name, steps: steps.map(jsonOfStep) }));
    process.stdout.write(jsonLine({ changes, counts: countsOf(plans), faults }));
    return;
  }
  for (const plan of plans) process.stdout.write(textOfPlan(plan));
  const name = nameOfInput(file);
  for (const { line, reason } of faults) process.stdout.write(`${visible(`${name}:${line}: ${reason}`)}\n`);
  process.stdout.write(`${counted(plans.length, 'tenant')} compared, ${summaryOf(plans)}\n`);
}

function jsonOfStep({ fields, ...step }: Step) {
  const changes = Object.entries(fields).map(([field, [before, after]]) => ({ field, before, after }));
  return { ...step, changes };
}

/** @throws Refusal for a plan that cannot be carried out as a whole */
function refuseFaults(plans: readonly TenantPlan[], newKeysFile: string | undefined): void {
  if (plans.some(({ faults }) => faults.length > 0))
    throw new Refusal('nothing was changed; see the lines above');
  if (createsKeys(plans) && newKeysFile === undefined) {
    throw new Refusal(
      'nothing was changed: the plan creates tenant keys, which can be read only now. Say with --new-keys-file where to write them',
    );
  }
}

function createsKeys(plans: readonly TenantPlan[]): boolean {
  return plans.some(({ steps }) => steps.some(({ of, change }) => of === 'key' && change === 'create'));
}

/** @returns for how many tenants it failed */
async function applyAll(
  services: Services,
  plans: readonly TenantPlan[],
  { prune = false, newKeysFile }: ApplyOptions,
): Promise<number> {
  const { DesiredState } = await import('./desired-state.js');
  const { isDatabaseUnavailable, mayBeCommitted } = await import('#database');
  const keys = newKeysFile === undefined || !createsKeys(plans) ? undefined : new NewKeysFile(newKeysFile);
  let isInterrupted = false;
  const interrupt = () => void (isInterrupted = true);
  process.once('SIGINT', interrupt);
  const state = new DesiredState(services, prune, (key) => keys?.write(key));
  let failed = 0;
  let done = 0;
  try {
    for (const plan of plans) {
      if (isInterrupted) {
        throw new Interrupted(
          `stopped after ${done} of ${plans.length} tenants. Run the command again to continue`,
        );
      }
      try {
        await state.apply(plan);
        keys?.keep();
        process.stdout.write(`applied ${visible(plan.name)}\n`);
        done += 1;
      } catch (error) {
        if (mayBeCommitted(error)) keys?.keep();
        else keys?.dropUncommitted();
        // The remaining tenants would fail in the same way.
        if (isDatabaseUnavailable(error)) throw error;
        failed += 1;
        process.stdout.write(`${visible(`failed ${plan.name}: ${(asRefusal(error) as Error).message}`)}\n`);
      }
    }
  } finally {
    process.off('SIGINT', interrupt);
    keys?.close();
  }
  process.stdout.write(`${counted(done, 'tenant')} applied${failed === 0 ? '' : `, ${failed} failed`}\n`);
  return failed;
}

/** Receives tenant keys that are created. A line is on the disk before the creation of its key is committed. */
class NewKeysFile {
  readonly #descriptor: number;
  /** The size of the file with the lines of keys that exist, or may exist. */
  #committed = 0;

  /** @throws Refusal for a file that exists, whose readers are not known */
  constructor(path: string) {
    try {
      this.#descriptor = openSync(path, 'ax', 0o600);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const why =
        code === 'EEXIST'
          ? 'exists already. Give another name; it may hold tenant keys of an earlier run'
          : `cannot be created (${code ?? 'unknown'})`;
      throw new Refusal(`nothing was changed: the file of --new-keys-file ${why}`);
    }
  }

  write(key: object): void {
    writeSync(this.#descriptor, `${JSON.stringify(key)}\n`);
    fsyncSync(this.#descriptor);
  }

  /** The lines so far belong to keys that exist, or may exist. */
  keep(): void {
    this.#committed = fstatSync(this.#descriptor).size;
  }

  /** Removes the lines of keys whose creation was rolled back. */
  dropUncommitted(): void {
    ftruncateSync(this.#descriptor, this.#committed);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
