import { Get, Param, Req } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { type FastifyRequest } from 'fastify';
import { ApiPlatformProblems, PlatformController, Problem } from '#http';
import { type ListedModel, ModelRoutingService } from '../model-routing.service';

const example = {
  id: 'gpt-4o',
  object: 'model',
  created: 0,
  owned_by: 'OpenAI',
  type: 'model',
  display_name: 'gpt-4o',
  created_at: '1970-01-01T00:00:00Z',
  tenkey: { provider: 'openai', adapter: 'litellm', ready: true },
};

const problems = [
  'unauthenticated',
  'forbidden',
  'rate_limited',
  'malformed_request',
  'tenant_not_found',
  'tenant_suspended',
  'credential_store_unavailable',
  'internal_error',
] as const;

@PlatformController()
export class ModelsController {
  constructor(private readonly routing: ModelRoutingService) {}

  @Get('models')
  @ApiOperation({
    summary: 'The models of the catalogue',
    description:
      "Each model has the fields of both OpenAI's and Anthropic's list, so that clients of either can read it. `tenkey.ready` says whether this tenant can call the model now. Tenkey decrypts nothing and calls no provider for this.",
  })
  @ApiOkResponse({
    description: 'All models that the key may call, on one page.',
    schema: {
      type: 'object',
      example: { object: 'list', data: [example], has_more: false, first_id: 'gpt-4o', last_id: 'gpt-4o' },
    },
  })
  @ApiPlatformProblems('/v1/models', ...problems)
  async list(@Req() request: FastifyRequest): Promise<object> {
    const data = (await this.routing.models(tenantOf(request), request.allowedModels)).map(shown);
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
  @ApiOperation({ summary: 'One model of the catalogue', description: 'The same fields as in the list.' })
  @ApiOkResponse({ description: 'The model.', schema: { type: 'object', example } })
  @ApiPlatformProblems('/v1/models', ...problems, 'model_not_found')
  async find(@Req() request: FastifyRequest, @Param('model') name: string): Promise<object> {
    return shown(await this.routing.model(tenantOf(request), name, request.allowedModels));
  }

  /** A name may contain slashes, and not every client encodes them. */
  @Get('models/*')
  @ApiExcludeEndpoint()
  findWithSlashes(@Req() request: FastifyRequest, @Param('*') name: string): Promise<object> {
    return this.find(request, name);
  }
}

function tenantOf({ tenantId }: FastifyRequest): string {
  if (tenantId === undefined) throw new Problem('unauthenticated');
  return tenantId;
}

function shown({ model, provider, adapter, isReady }: ListedModel) {
  return {
    id: model.name,
    object: 'model',
    created: 0,
    owned_by: typeof model.org === 'string' ? model.org : (provider ?? 'unknown'),
    type: 'model',
    display_name: typeof model.nickname === 'string' ? model.nickname : model.name,
    created_at: '1970-01-01T00:00:00Z',
    tenkey: { provider: provider ?? null, adapter, ready: isReady },
  };
}
