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
    const { loadConfig, readEnvironment } = await import('#config');
    return loadConfig(readEnvironment(this.environment, this.directory));
  }

  /** A variable of the environment, or of .env. */
  async variables(): Promise<(name: string) => string | undefined> {
    const { readEnvironment } = await import('#config');
    const environment = readEnvironment(this.environment, this.directory);
    return (name) => environment[name];
  }

  /** The encryption keys alone, which can be read even when other settings are missing or invalid. @throws ConfigError */
  async encryptionKeys(): Promise<KeyRing> {
    const { loadEncryptionKeys, readEnvironment } = await import('#config');
    return loadEncryptionKeys(readEnvironment(this.environment, this.directory));
  }

  /** AI_MODELS_FILE, which can be read even when other settings are missing or invalid. */
  async modelsFile(): Promise<string | undefined> {
    const { readEnvironment } = await import('#config');
    return readEnvironment(this.environment, this.directory).AI_MODELS_FILE?.trim() || undefined;
  }

  /** The files with secrets that other users of this machine can read. */
  async exposedFiles(): Promise<ExposedFile[]> {
    const { exposedFiles } = await import('#config');
    return exposedFiles(this.environment, this.directory);
  }
}
