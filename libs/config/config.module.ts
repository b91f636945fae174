import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { ConfigModule as NestConfigModule, ConfigService } from '@nestjs/config';
import { type Config } from './config';

const CONFIG = Symbol('Config');

/** `constructor(@InjectConfig() private readonly config: Config)` */
export const InjectConfig = (): ReturnType<typeof Inject> => Inject(CONFIG);

/** Hands the one frozen Config, loaded before Nest starts, to whoever injects it. */
@Module({})
export class ConfigModule {
  static register(config: Config): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      imports: [
        NestConfigModule.forRoot({
          ignoreEnvFile: true,
          ignoreEnvVars: true,
          skipProcessEnv: true,
          load: [() => ({ tenkey: config })],
        }),
      ],
      providers: [
        {
          provide: CONFIG,
          inject: [ConfigService],
          useFactory: (service: ConfigService) => service.getOrThrow<Config>('tenkey'),
        },
      ],
      exports: [CONFIG],
    };
  }
}
