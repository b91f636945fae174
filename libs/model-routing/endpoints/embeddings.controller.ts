import { Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { PlatformController } from '#http';
import { CallEndpoint } from '../call/call-endpoint';
import { PlatformCallService } from '../call/platform-call.service';

@PlatformController()
export class EmbeddingsController {
  constructor(private readonly calls: PlatformCallService) {}

  @CallEndpoint('embeddings', {
    summary: 'Create embeddings',
    description: "OpenAI's format, for the embedding models in ai_models.yml.",
    required: ['model', 'input'],
    examples: { plain: { summary: 'One text', value: { model: 'text-embedding-3-small', input: 'Hello' } } },
    responses: {
      'application/json': {
        object: 'list',
        data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }],
        model: 'text-embedding-3-small',
        usage: { prompt_tokens: 2, total_tokens: 2 },
      },
    },
  })
  createEmbeddings(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.handleJson('embeddings', request, reply);
  }
}
