import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { ConfigModule as NestConfigModule, getConfigToken, registerAs } from '@nestjs/config';
import { type Config, loadConfig } from './config';
import { type Environment } from './environment';

const namespace = 'tenkey';

/** `constructor(@InjectConfig() private readonly config: Config)` */
export const InjectConfig = (): ReturnType<typeof Inject> => Inject(getConfigToken(namespace));

/** What @nestjs/config loads. A start calls it before Nest does, because the log and the database come first. */
export type ConfigFactory = ReturnType<typeof configFrom>;

/** @returns a factory that reads and checks the environment at its first call, and always returns the same Config */
export function configFrom(env: Environment) {
  let config: Config | undefined;
  return registerAs(namespace, () => (config ??= loadConfig(env)));
}

/** Makes the Config of one factory injectable everywhere. */
@Module({})
export class ConfigModule {
  /**
   * Of @nestjs/config only the namespace is used. Without the first three options it would read `.env` a second time and
   * copy process.env, global keys included, and its ConfigService would read process.env. Its `validate` is not used because
   * it assigns the validated values to process.env.
   */
  static register(factory: ConfigFactory): Promise<DynamicModule> {
    return NestConfigModule.forRoot({
      ignoreEnvFile: true,
      ignoreEnvVars: true,
      skipProcessEnv: true,
      isGlobal: true,
      load: [factory],
    });
  }
}
