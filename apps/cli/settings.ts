import { type Config, type Environment, type ExposedFile } from '#config';
import { type KeyRing } from '#crypto';

/** Reads the settings as the service would, but only when a command needs them. */
export class Settings {
  constructor(
    private readonly environment: Environment,
    private readonly directory: string,
  ) {}

  /** @throws ConfigError */
  async load(): Promise<Config> {
    const { loadConfig } = await import('#config');
    return loadConfig(await this.variables());
  }

  /** All variables of the environment and of .env, whether they are settings of Tenkey or not. */
  async variables(): Promise<Environment> {
    const { readEnvironment } = await import('#config');
    return readEnvironment(this.environment, this.directory);
  }

  /** The encryption keys alone, which can be read even when other settings are missing or invalid. @throws ConfigError */
  async encryptionKeys(): Promise<KeyRing> {
    const { loadEncryptionKeys } = await import('#config');
    return loadEncryptionKeys(await this.variables());
  }

  /** AI_MODELS_FILE, which can be read even when other settings are missing or invalid. */
  async modelsFile(): Promise<string | undefined> {
    return (await this.variables()).AI_MODELS_FILE?.trim() || undefined;
  }

  /** The files with secrets that other users of this machine can read. */
  async exposedFiles(): Promise<ExposedFile[]> {
    const { exposedFiles } = await import('#config');
    return exposedFiles(this.environment, this.directory);
  }

  /** A variable of the command line itself. It comes only from the environment, because a folder must not decide where a key is sent. */
  variable(name: string): string | undefined {
    return this.environment[name]?.trim() || undefined;
  }

  /** Where the service with these settings listens, and the super key that opens it, as far as the settings say so. */
  async service(): Promise<{ readonly port: string; readonly superKey: string | undefined }> {
    const { readEnvironment } = await import('#config');
    const environment = readEnvironment(this.environment, this.directory);
    // While a key is replaced there are several.
    const [superKey] = (environment.INTRIC_SUPER_API_KEY ?? '').split(',');
    return { port: environment.PORT?.trim() || '3000', superKey: superKey?.trim() || undefined };
  }
}
