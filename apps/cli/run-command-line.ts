import { createRequire } from 'node:module';
import { Command } from 'commander';
import { type Environment } from '#config';
import { adoptGlobalKeysCommand } from './global-keys/adopt-global-keys.command';
import { applyCommand, planCommand } from './as-code/as-code.commands';
import { exportCommand } from './as-code/export.command';
import { schemaCommand } from './as-code/schema.command';
import { auditVerifyCommand } from './audit-verify.command';
import { restoreVerifyCommand } from './backup/restore-verify.command';
import { commandGroup, configureUsage, reportError } from './command-line';
import { doctorCommand } from './doctor/doctor.command';
import { encryptionCommand } from './encryption/encryption.command';
import { importEneoCommand } from './import/import-eneo.command';
import { generateEncryptionKeyCommand } from './generate-encryption-key.command';
import { migrateCommand } from './migrate.command';
import { importLitellmCommand } from './import/import-litellm.command';
import { modelsCheckCommand } from './models-check.command';
import { callsCommand } from './remote/commands/calls.command';
import { auditListCommand } from './remote/commands/audit-list.command';
import { modelsListCommand, providersCommand } from './remote/commands/catalogue.commands';
import { credentialsCommand } from './remote/commands/credential.commands';
import { keysCommand, sysadminKeysCommand } from './remote/commands/key.commands';
import { processesCommand } from './remote/commands/processes.command';
import { readinessCommand } from './remote/commands/readiness.command';
import { receiptsVerifyCommand } from './remote/commands/receipts-verify.command';
import { statusCommand } from './remote/commands/status.command';
import { tenantsCommand } from './remote/commands/tenant.commands';
import { usageCommand } from './remote/commands/usage.command';
import { Settings } from './settings';

const { version } = createRequire(__filename)('#package.json') as { version: string };

/** The headings of the help, in its order: what a command needs to run. */
const kinds = {
  remote: 'Commands that speak to a running Tenkey, over its sysadmin API:',
  database: 'Commands that work on the database, with the settings of the service:',
  alone: 'Commands that need neither:',
};

/**
 * Loading the libraries that a command uses takes more than a second, so each command imports them when it runs, and the help
 * and a refused command line do not wait for them.
 */
function programOf(settings: Settings): Command {
  const program = new Command('tenkey').version(version).enablePositionalOptions();
  const add = (kind: keyof typeof kinds, ...commands: readonly Command[]) => {
    for (const command of commands) program.addCommand(command.helpGroup(kinds[kind]));
  };
  add(
    'remote',
    statusCommand(settings),
    tenantsCommand(settings),
    providersCommand(settings),
    credentialsCommand(settings),
    keysCommand(settings),
    sysadminKeysCommand(settings),
    usageCommand(settings),
    callsCommand(settings),
    readinessCommand(settings),
    processesCommand(settings),
    commandGroup('receipts', 'Check the receipts of calls.', [receiptsVerifyCommand(settings)]),
  );
  add(
    'database',
    encryptionCommand(settings),
    commandGroup('audit', 'Check the audit events in the database, or list them over the sysadmin API.', [
      auditListCommand(settings).helpGroup(kinds.remote),
      auditVerifyCommand(settings).helpGroup(kinds.database),
    ]),
    adoptGlobalKeysCommand(settings),
    planCommand(settings),
    applyCommand(settings),
    exportCommand(settings),
    doctorCommand(settings),
    migrateCommand(settings),
    commandGroup('restore', 'Check a restored backup.', [restoreVerifyCommand(settings)]),
    commandGroup('import', 'Take over tenants, credentials and models from another system.', [
      importEneoCommand(settings),
      importLitellmCommand(settings),
    ]),
  );
  add(
    'alone',
    commandGroup('models', 'Check the model catalogue, ai_models.yml, or list the one that is in force.', [
      modelsListCommand(settings).helpGroup(kinds.remote),
      modelsCheckCommand(settings).helpGroup(kinds.alone),
    ]),
    schemaCommand(settings),
    generateEncryptionKeyCommand(),
  );
  program.addHelpCommand(
    new Command('help').argument('[command]').description('Explain a command').helpGroup(kinds.alone),
  );
  configureUsage(program);
  return program;
}

/** Runs the command that process.argv names, with the settings of the environment and of the .env file in the directory. */
export async function runCommandLine(environment: Environment, directory: string): Promise<void> {
  try {
    await programOf(new Settings(environment, directory)).parseAsync(process.argv);
  } catch (error) {
    reportError(error as Error);
  }
}
