import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { IssuedKeysModule, SysadminKeysService, TenantKeysService } from '#issued-keys';
import { AuditModule } from '#audit';
import { type ConfigFactory, ConfigModule } from '#config';
import { CredentialsModule } from '#credentials';
import { CryptoModule } from '#crypto';
import { connectAndMigrate, dataSourceOptions, ServiceDataSource } from '#database';
import { EgressModule } from '#egress';
import { AccessGuard, Authentication, PlatformKeyGuard, ProblemFilter, SuperApiKeyGuard } from '#http';
import { type Log } from '#log';
import { type ModelCatalogue, ModelRoutingModule } from '#model-routing';
import { TenantsModule } from '#tenants';
import { UsageModule } from '#usage';
import { type DataSourceOptions } from 'typeorm';
import { entities } from '../../entities';
import { HealthController } from './health.controller';
import { MetricsController } from './metrics.controller';

/** What the application is made from; the tests hand in theirs. */
export interface AppParts {
  readonly configFactory: ConfigFactory;
  /** Address of the PostgreSQL: DATABASE_URL or the embedded one's. */
  readonly databaseUrl: string;
  readonly catalogue: ModelCatalogue;
  readonly log: Log;
  /** The port we listen on, once known: no tenant's endpoint may be ourselves. */
  readonly ownPort: () => number | undefined;
  /** Further modules of the platform that this runs in. */
  readonly imports?: readonly Type[];
}

/** The composition root: which modules there are, and what they are made from. */
@Module({})
export class AppModule {
  static register(parts: AppParts): DynamicModule {
    const { configFactory, databaseUrl, log } = parts;
    const config = configFactory();
    return {
      module: AppModule,
      imports: [
        ConfigModule.register(configFactory),
        CryptoModule.register(config.encryptionKeys),
        TypeOrmModule.forRootAsync({
          useFactory: () => ({
            ...dataSourceOptions({ url: databaseUrl, entities }),
            manualInitialization: false,
            retryAttempts: 0,
          }),
          dataSourceFactory: async (options) => {
            const dataSource = new ServiceDataSource(options as DataSourceOptions);
            await connectAndMigrate(dataSource, {
              waitSeconds: config.databaseWaitSeconds,
              log: (message: string) => log.info(message),
            });
            return dataSource;
          },
        }),
        EgressModule.register({
          allow: config.egressAllow,
          ownPort: parts.ownPort,
          processSecrets: config.secrets,
          timeoutsOf: (provider) => config.timeoutsOf(provider),
          retries: config.upstreamRetries,
          retryRateLimitedMs: config.retryRateLimitedSeconds * 1000,
        }),
        AuditModule,
        TenantsModule,
        CredentialsModule,
        IssuedKeysModule,
        UsageModule,
        ModelRoutingModule.register(parts.catalogue),
        ...(parts.imports ?? []),
      ],
      controllers: [HealthController, MetricsController],
      providers: [
        {
          provide: Authentication,
          inject: [TenantKeysService, SysadminKeysService],
          useFactory: (tenantKeys: TenantKeysService, sysadminKeys: SysadminKeysService) =>
            new Authentication(config, {
              tenantGrant: (presented) => tenantKeys.grant(presented),
              scopedGrant: (presented) => sysadminKeys.grant(presented),
              countRequest: (grant) => tenantKeys.countRequest(grant),
            }),
        },
        SuperApiKeyGuard,
        PlatformKeyGuard,
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
