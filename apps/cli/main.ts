import 'reflect-metadata';
import { Module, type OnApplicationBootstrap, type Type } from '@nestjs/common';
import { CommandFactory, type CommandRunner, InjectCommander } from 'nest-commander';
import { configureUsage, reportError } from './command-line';
import { SettingsService } from './settings.service';

/**
 * The classes of each command. Loading the libraries that a command uses can take more than a second, so a run loads only
 * the command that it names, and all of them for the general help.
 */
const commands: Readonly<Record<string, () => Promise<Type<CommandRunner>[]>>> = {
  'generate-encryption-key': async () => {
    const { GenerateEncryptionKeyCommand } = await import('./generate-encryption-key.command.js');
    return [GenerateEncryptionKeyCommand];
  },
  models: async () => {
    const { ModelsCheckCommand, ModelsCommand } = await import('./models-check.command.js');
    return [ModelsCheckCommand, ModelsCommand];
  },
  audit: async () => {
    const { AuditCommand, AuditVerifyCommand } = await import('./audit-verify.command.js');
    return [AuditVerifyCommand, AuditCommand];
  },
  readiness: async () => {
    const { ReadinessCommand } = await import('./readiness.command.js');
    return [ReadinessCommand];
  },
  'adopt-global-keys': async () => {
    const { AdoptGlobalKeysCommand } = await import('./adopt-global-keys.command.js');
    return [AdoptGlobalKeysCommand];
  },
};

@Module({
  providers: [{ provide: SettingsService, useValue: new SettingsService(process.env, process.cwd()) }],
})
class CliModule implements OnApplicationBootstrap {
  constructor(@InjectCommander() private readonly program: Parameters<typeof configureUsage>[0]) {}

  /** By now nest-commander has added the commands. */
  onApplicationBootstrap(): void {
    // Without a name the help would call the program main, after this file.
    configureUsage(this.program.name('npm run cli --'));
  }
}

async function main(): Promise<void> {
  const [, , name = ''] = process.argv;
  const loaders = Object.hasOwn(commands, name) ? [commands[name]!] : Object.values(commands);
  const providers = (await Promise.all(loaders.map((load) => load()))).flat();
  await CommandFactory.run(
    { module: CliModule, providers },
    {
      logger: false,
      // Without this handler a command that throws would exit with 0.
      serviceErrorHandler: reportError,
    },
  );
}

main().catch(reportError);
