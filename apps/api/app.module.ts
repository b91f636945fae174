import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { IssuedKeysModule, SessionsService, SysadminKeysService, TenantKeysService } from '#issued-keys';
import { AuditModule } from '#audit';
import { CacheModule } from '#cache';
import { type ConfigFactory, ConfigModule } from '#config';
import { CredentialsModule } from '#credentials';
import { CryptoModule } from '#crypto';
import { EgressModule } from '#egress';
import { hooks, HttpModule } from '#http';
import { type Log } from '#log';
import { type ModelCatalogue, ModelRoutingModule } from '#model-routing';
import { TenantsModule } from '#tenants';
import { UsageModule } from '#usage';
import { type DataSource } from 'typeorm';
import { AddressesController } from './addresses.controller';
import { ConsolePage } from './console/console-page';
import { HealthController } from './health.controller';
import { type HttpServer } from './http-server';
import { MetricsController } from './metrics/metrics.controller';
import { MetricsPortService } from './metrics/metrics-port.service';
import { MetricsService } from './metrics/metrics.service';
import { ProcessMetricsService } from './metrics/process-metrics.service';
import { RequestMetrics } from './metrics/request-metrics';
import { StoredMetricsService } from './metrics/stored-metrics.service';

/** What the application is made from; main.ts and the tests each provide their own. */
export interface AppParts {
  readonly configFactory: ConfigFactory;
  /** URL of the database: DATABASE_URL, or that of the embedded PostgreSQL. */
  readonly databaseUrl: string;
  readonly catalogue: ModelCatalogue;
  readonly log: Log;
  /** The port that Tenkey listens on, once it is known: no tenant's endpoint may be Tenkey itself. */
  readonly ownPort: () => number | undefined;
  /** Is called once the database is available and migrated. */
  readonly isConnected?: () => void;
  /** The server that already exists; absent: the application makes one. */
  readonly server?: HttpServer;
  /** Where the built console is; absent: it is not served. */
  readonly consoleFolder?: string;
  /** Further modules, for a platform that runs Tenkey in its own process. */
  readonly imports?: readonly Type[];
}

/** The composition root: the modules, and what each is made from. */
@Module({})
export class AppModule {
  /**
   * @param dataSource is connected, and closed together with the application
   * @param databaseAddresses the addresses at which the database was reached so far
   */
  static register(
    parts: AppParts,
    {
      dataSource,
      databaseAddresses,
      running,
      requests,
      page,
    }: {
      dataSource: DataSource;
      databaseAddresses: ReadonlySet<string>;
      running: hooks.RunningRequests;
      requests: RequestMetrics;
      page: ConsolePage | undefined;
    },
  ): DynamicModule {
    const { configFactory } = parts;
    const config = configFactory();
    return {
      module: AppModule,
      imports: [
        ConfigModule.register(configFactory),
        CryptoModule.register(config.encryptionKeys),
        TypeOrmModule.forRootAsync({
          useFactory: () => dataSource.options,
          dataSourceFactory: () => Promise.resolve(dataSource),
        }),
        EgressModule.register({
          allow: config.egressAllow,
          privateAddresses: config.egressPrivate,
          databaseAddresses: () => databaseAddresses,
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
          inject: [TenantKeysService, SysadminKeysService, SessionsService],
          issuedKeys: (
            tenantKeys: TenantKeysService,
            sysadminKeys: SysadminKeysService,
            sessions: SessionsService,
          ) => ({
            tenantGrant: (presented) => tenantKeys.grant(presented),
            sysadminGrant: (presented) => sysadminKeys.grant(presented),
            sessionGrant: (token) => sessions.grant(token),
            isCurrent: (grant, ageMs) => tenantKeys.isCurrent(grant, ageMs),
            countRequest: (grant) => tenantKeys.countRequest(grant),
          }),
        }),
        ...(parts.imports ?? []),
      ],
      controllers: [AddressesController, HealthController, MetricsController],
      providers: [
        { provide: hooks.RunningRequests, useValue: running },
        { provide: RequestMetrics, useValue: requests },
        ProcessMetricsService,
        StoredMetricsService,
        MetricsService,
        MetricsPortService,
        ...(page === undefined ? [] : [{ provide: ConsolePage, useValue: page }]),
      ],
    };
  }
}
