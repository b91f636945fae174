import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '#cache';
import { IssuedKeysModule, TenantKeysService } from '#issued-keys';
import { CredentialsModule } from '#credentials';
import { ProviderRegistry } from '#providers';
import { TenantsModule, TenantsService } from '#tenants';
import { UsageModule } from '#usage';
import { LegacyAdapter } from './adapters/legacy.adapter';
import { LitellmAdapter } from './adapters/litellm.adapter';
import { AudioController } from './endpoints/audio.controller';
import { CompletionsController } from './endpoints/completions.controller';
import { EmbeddingsController } from './endpoints/embeddings.controller';
import { ImagesController } from './endpoints/images.controller';
import { MessagesController } from './endpoints/messages.controller';
import { ModelsController } from './endpoints/models.controller';
import { ModerationsController } from './endpoints/moderations.controller';
import { CallQueueService } from './call/call-queue.service';
import { CallService } from './call/call.service';
import { DispatchService } from './call/dispatch.service';
import { ObjectsOfCallsService } from './call/objects-of-calls.service';
import { PlatformCallService } from './call/platform-call.service';
import { RerankController } from './endpoints/rerank.controller';
import { ResponsesController } from './endpoints/responses.controller';
import { CatalogueController } from './readiness/catalogue.controller';
import { ExplainController } from './readiness/explain.controller';
import { ExplainService } from './readiness/explain.service';
import { ModelCatalogue } from './catalogue/model-catalogue';
import { ModelRoutingService } from './model-routing.service';
import { ProcessesController } from './readiness/processes.controller';
import { ReadinessController } from './readiness/readiness.controller';
import { ReadinessService } from './readiness/readiness.service';
import { StoredObject } from './stored-objects/stored-object.entity';
import {
  storedObjectRemoval,
  StoredObjectsRetentionService,
} from './stored-objects/stored-objects-retention.service';
import { StoredObjectsService } from './stored-objects/stored-objects.service';
import { StoredResponseService } from './stored-responses/stored-response.service';
import { StoredResponsesController } from './stored-responses/stored-responses.controller';

@Module({})
export class ModelRoutingModule {
  constructor(tenants: TenantsService, tenantKeys: TenantKeysService, catalogue: ModelCatalogue) {
    tenants.onRemoval(storedObjectRemoval);
    tenantKeys.checkModelsWith((names) => catalogue.warningsOfNames(names));
  }

  static register(catalogue: ModelCatalogue): DynamicModule {
    return {
      module: ModelRoutingModule,
      global: true,
      imports: [
        TypeOrmModule.forFeature([StoredObject]),
        CacheModule,
        CredentialsModule,
        TenantsModule,
        IssuedKeysModule,
        UsageModule,
      ],
      controllers: [
        CompletionsController,
        ResponsesController,
        StoredResponsesController,
        MessagesController,
        EmbeddingsController,
        AudioController,
        ImagesController,
        ModerationsController,
        RerankController,
        ModelsController,
        CatalogueController,
        ExplainController,
        ReadinessController,
        ProcessesController,
      ],
      providers: [
        { provide: ModelCatalogue, useValue: catalogue },
        // The credential routes need it too.
        { provide: ProviderRegistry, useValue: catalogue.providers },
        LitellmAdapter,
        LegacyAdapter,
        CallService,
        CallQueueService,
        DispatchService,
        ObjectsOfCallsService,
        StoredObjectsService,
        StoredObjectsRetentionService,
        StoredResponseService,
        ModelRoutingService,
        ExplainService,
        ReadinessService,
        PlatformCallService,
      ],
      exports: [ModelRoutingService, CallQueueService, ModelCatalogue, ProviderRegistry],
    };
  }
}
