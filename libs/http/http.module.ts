import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { AccessGuard } from './access/access.guard';
import { Authentication, type EnvironmentKeys } from './access/authentication';
import { type IssuedKeys } from './access/grants';
import { PlatformKeyGuard } from './access/platform-key.guard';
import { SuperApiKeyGuard } from './access/super-api-key.guard';
import { WrongKeyThrottle } from './access/throttling';
import { ProblemFilter } from './problems/problem.filter';

interface HttpOptions {
  readonly environmentKeys: EnvironmentKeys;
  /** From one address; 0: no limit. */
  readonly wrongKeysPerMinute: number;
  /** The modules that export the services in `inject`. */
  readonly imports: Type[];
  readonly inject: Type[];
  /** Is called with the services in `inject`. */
  readonly issuedKeys: (...services: never[]) => IssuedKeys;
}

/** Guards every route of the application and renders every error. */
@Module({})
export class HttpModule {
  static register({
    environmentKeys,
    wrongKeysPerMinute,
    imports,
    inject,
    issuedKeys,
  }: HttpOptions): DynamicModule {
    return {
      module: HttpModule,
      imports,
      providers: [
        {
          provide: Authentication,
          inject,
          useFactory: (...services: never[]) =>
            new Authentication(
              environmentKeys,
              issuedKeys(...services),
              new WrongKeyThrottle(wrongKeysPerMinute),
            ),
        },
        SuperApiKeyGuard,
        PlatformKeyGuard,
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
