import { type DynamicModule, Module } from '@nestjs/common';
import { CredentialsModule } from '#credentials';
import { TenantsModule } from '#tenants';
import { LegacyAdapter } from './adapters/legacy.adapter';
import { LitellmAdapter } from './adapters/litellm.adapter';
import { ChatCompletionsController } from './chat-completions.controller';
import { EmbeddingsController } from './embeddings.controller';
import { ModelCatalogue } from './model-catalogue';
import { ModelRoutingService } from './model-routing.service';
import { PlatformCalls } from './platform-calls';
import { ModelsController } from './models.controller';

@Module({})
export class ModelRoutingModule {
  static register(catalogue: ModelCatalogue): DynamicModule {
    return {
      module: ModelRoutingModule,
      global: true,
      imports: [CredentialsModule, TenantsModule],
      controllers: [ChatCompletionsController, EmbeddingsController, ModelsController],
      providers: [
        { provide: ModelCatalogue, useValue: catalogue },
        LitellmAdapter,
        LegacyAdapter,
        ModelRoutingService,
        PlatformCalls,
      ],
      exports: [ModelRoutingService, ModelCatalogue],
    };
  }
}
