import { Get, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { type FastifyRequest } from 'fastify';
import { ApiOpenAiProblems, Problem } from '#http';
import { ModelRoutingService } from './model-routing.service';
import { PlatformController } from './platform-controller';

const answer = {
  object: 'list',
  data: [
    {
      id: 'gpt-4o',
      object: 'model',
      created: 0,
      owned_by: 'OpenAI',
      tenkey: { provider: 'openai', adapter: 'litellm', ready: true },
    },
  ],
};

@PlatformController('v1/models')
export class ModelsController {
  constructor(private readonly routing: ModelRoutingService) {}

  @Get()
  @ApiOperation({
    summary: 'The models of the catalogue',
    description:
      '`tenkey.ready` says whether this tenant could call the model now. Nothing is decrypted or called.',
  })
  @ApiOkResponse({
    description: "OpenAI's list of models, each with `tenkey: { provider, adapter, ready }`.",
    schema: { type: 'object', example: answer },
  })
  @ApiOpenAiProblems(
    'unauthenticated',
    'malformed_request',
    'tenant_not_found',
    'tenant_suspended',
    'credential_store_unavailable',
    'internal_error',
  )
  async list(@Req() request: FastifyRequest): Promise<object> {
    if (request.tenantId === undefined) throw new Problem('unauthenticated');
    const models = await this.routing.models(request.tenantId);
    return {
      object: 'list',
      data: models.map(({ model, provider, adapter, isReady }) => ({
        id: model.name,
        object: 'model',
        created: 0,
        owned_by: typeof model.org === 'string' ? model.org : (provider ?? 'unknown'),
        tenkey: { provider: provider ?? null, adapter, ready: isReady },
      })),
    };
  }
}
