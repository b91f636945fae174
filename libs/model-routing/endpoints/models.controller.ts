import { Get, Param, Req } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { type FastifyRequest } from 'fastify';
import { ApiProblems, PlatformController } from '#http';
import { ModelRoutingService } from '../model-routing.service';
import { ModelListResponse, ModelResponse } from './models.dto';

@PlatformController()
export class ModelsController {
  constructor(private readonly routing: ModelRoutingService) {}

  @Get('models')
  @ApiOperation({
    summary: 'List models',
    description:
      "Each model has the fields of both OpenAI's and Anthropic's list, so that clients of either can read it. `tenkey.ready` says whether this tenant can call the model now. Tenkey decrypts nothing and calls no provider for this.",
  })
  @ApiOkResponse({ type: ModelListResponse })
  async listModels(@Req() { tenkey }: FastifyRequest): Promise<ModelListResponse> {
    const data = (await this.routing.models(tenkey.requireTenantId(), tenkey.grant.allowedModels)).map(
      (model) => ModelResponse.of(model),
    );
    return {
      object: 'list',
      data,
      has_more: false,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
    };
  }

  @Get('models/:model')
  @ApiParam({ name: 'model', description: "The model's `name` in ai_models.yml.", example: 'gpt-4o' })
  @ApiOperation({ summary: 'Get a model', description: 'The same fields as in the list.' })
  @ApiOkResponse({ type: ModelResponse })
  @ApiProblems('model_not_found')
  async getModel(@Req() request: FastifyRequest, @Param('model') name: string): Promise<ModelResponse> {
    const { tenkey } = request;
    return ModelResponse.of(
      await this.routing.model(tenkey.requireTenantId(), name, tenkey.grant.allowedModels),
    );
  }

  /** A name may contain slashes, and not every client encodes them. */
  @Get('models/*')
  @ApiExcludeEndpoint()
  getModelWithSlashes(@Req() request: FastifyRequest, @Param('*') name: string): Promise<ModelResponse> {
    return this.getModel(request, name);
  }
}
