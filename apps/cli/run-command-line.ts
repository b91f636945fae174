import { createRequire } from 'node:module';
import { type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import { CommandFactory, InjectCommander } from 'nest-commander';
import { type Environment } from '#config';
import { AdoptGlobalKeysCommand } from './adopt-global-keys.command';
import { AuditCommand, AuditVerifyCommand } from './audit-verify.command';
import { configureUsage, reportError } from './command-line';
import { encryptionCommands } from './encryption/encryption.command';
import { GenerateEncryptionKeyCommand } from './generate-encryption-key.command';
import { ModelsCheckCommand, ModelsCommand } from './models-check.command';
import { ReadinessCommand } from './readiness.command';
import { SettingsService } from './settings.service';

const { version } = createRequire(__filename)('#package.json') as { version: string };

// Loading the libraries that a command uses takes more than a second, so each command imports them when it runs, and the help
// and a refused command line do not wait for them.
const commands = [
  GenerateEncryptionKeyCommand,
  ModelsCommand,
  ModelsCheckCommand,
  AuditCommand,
  AuditVerifyCommand,
  ReadinessCommand,
  AdoptGlobalKeysCommand,
  ...encryptionCommands,
];

class CliModule implements OnApplicationBootstrap {
  constructor(@InjectCommander() private readonly program: Parameters<typeof configureUsage>[0]) {}

  static withSettings(settings: SettingsService): DynamicModule {
    return { module: CliModule, providers: [{ provide: SettingsService, useValue: settings }, ...commands] };
  }

  /** By now nest-commander has added the commands. */
  onApplicationBootstrap(): void {
    // Without a name the help would call the program main, after main.ts.
    configureUsage(this.program.name('npm run cli --'));
  }
}

/** Runs the command that process.argv names, with the settings of the environment and of the .env file in the directory. */
export async function runCommandLine(environment: Environment, directory: string): Promise<void> {
  try {
    await CommandFactory.run(CliModule.withSettings(new SettingsService(environment, directory)), {
      logger: false,
      version,
      // Without this handler a command that throws would exit with 0.
      serviceErrorHandler: reportError,
    });
  } catch (error) {
    reportError(error as Error);
  }
}
