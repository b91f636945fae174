import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { IssuedKeysModule, SysadminKeysService, TenantKeysService } from '#issued-keys';
import { AuditModule } from '#audit';
import { CacheModule } from '#cache';
import { type ConfigFactory, ConfigModule } from '#config';
import { CredentialsModule } from '#credentials';
import { CryptoModule } from '#crypto';
import { connectAndMigrate, dataSourceOptions, ServiceDataSource } from '#database';
import { EgressModule } from '#egress';
import { HttpModule } from '#http';
import { type Log } from '#log';
import { type ModelCatalogue, ModelRoutingModule } from '#model-routing';
import { TenantsModule } from '#tenants';
import { UsageModule } from '#usage';
import { type DataSourceOptions } from 'typeorm';
import { entities } from '../../entities';
import { HealthController } from './health.controller';
import { MetricsController } from './metrics.controller';

/** What the application is made from; main.ts and the tests each provide their own. */
export interface AppParts {
  readonly configFactory: ConfigFactory;
  /** URL of the database: DATABASE_URL, or that of the embedded PostgreSQL. */
  readonly databaseUrl: string;
  readonly catalogue: ModelCatalogue;
  readonly log: Log;
  /** The port that Tenkey listens on, once it is known: no tenant's endpoint may be Tenkey itself. */
  readonly ownPort: () => number | undefined;
  /** Further modules, for a platform that runs Tenkey in its own process. */
  readonly imports?: readonly Type[];
}

/** The composition root: the modules, and what each is made from. */
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
              directUrl: config.databaseDirectUrl?.expose(),
              waitSeconds: config.databaseWaitSeconds,
              log: (message: string) => log.info(message),
            });
            return dataSource;
          },
        }),
        EgressModule.register({
          allow: config.egressAllow,
          ownPort: parts.ownPort,
          proxies: config.egressProxies,
          processSecrets: config.secrets,
          timeoutsOf: (provider) => config.timeoutsOf(provider),
          retries: config.upstreamRetries,
          retryRateLimitedMs: config.retryRateLimitedSeconds * 1000,
          circuitFailures: config.circuitFailures,
        }),
        CacheModule,
        AuditModule,
        TenantsModule,
        CredentialsModule,
        IssuedKeysModule,
        UsageModule,
        ModelRoutingModule.register(parts.catalogue),
        HttpModule.register({
          environmentKeys: config,
          wrongKeysPerMinute: config.wrongKeysPerMinute,
          imports: [IssuedKeysModule],
          inject: [TenantKeysService, SysadminKeysService],
          issuedKeys: (tenantKeys: TenantKeysService, sysadminKeys: SysadminKeysService) => ({
            tenantGrant: (presented) => tenantKeys.grant(presented),
            sysadminGrant: (presented) => sysadminKeys.grant(presented),
            isCurrent: (grant, ageMs) => tenantKeys.isCurrent(grant, ageMs),
            countRequest: (grant) => tenantKeys.countRequest(grant),
          }),
        }),
        ...(parts.imports ?? []),
      ],
      controllers: [HealthController, MetricsController],
    };
  }
}
