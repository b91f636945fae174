import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { CommandFactory, InjectCommander } from 'nest-commander';
import { type Config } from '#config';
import { AdoptGlobalKeysCommand } from './adopt-global-keys.command';
import { AuditVerifyCommand, loadedConfig } from './audit-verify.command';
import { AuditCommand } from './audit.command';
import { GenerateEncryptionKeyCommand } from './generate-encryption-key.command';
import { configuredModelFile, ModelsCheckCommand } from './models-check.command';
import { ModelsCommand } from './models.command';
import { ReadinessCommand } from './readiness.command';
import { endWith, exitOnUsage } from './command-line';

async function readModelFile(): Promise<string | undefined> {
  const { readEnvironment } = await import('#config');
  return readEnvironment(process.env, process.cwd()).AI_MODELS_FILE?.trim() || undefined;
}

async function readConfig(): Promise<Config> {
  const { loadConfig, readEnvironment } = await import('#config');
  return loadConfig(readEnvironment(process.env, process.cwd()));
}

@Module({
  providers: [
    GenerateEncryptionKeyCommand,
    ModelsCommand,
    ModelsCheckCommand,
    { provide: configuredModelFile, useValue: readModelFile },
    AuditCommand,
    AuditVerifyCommand,
    ReadinessCommand,
    AdoptGlobalKeysCommand,
    { provide: loadedConfig, useValue: readConfig },
  ],
})
class CliModule {
  constructor(@InjectCommander() program: { name(text: string): unknown }) {
    // Else the help calls it by its file, main.
    program.name('npm run cli --');
  }
}

CommandFactory.run(CliModule, {
  logger: false,
  cliName: 'tenkey',
  errorHandler: exitOnUsage,
  // By default a command that throws ends with 0.
  serviceErrorHandler: endWith,
}).catch(endWith);
