import { Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { PlatformController } from '#http';
import { CallEndpoint } from '../call/call-endpoint';
import { PlatformCallService } from '../call/platform-call.service';

@PlatformController()
export class RerankController {
  constructor(private readonly calls: PlatformCallService) {}

  @CallEndpoint('rerank', {
    summary: 'Rerank documents',
    description:
      "Cohere's format, for the rerank models in ai_models.yml. /v2/rerank, which Cohere's own clients call, does the same.",
    required: ['model', 'query', 'documents'],
    examples: {
      plain: {
        summary: 'Two documents',
        value: { model: 'rerank', query: 'Where is Umeå?', documents: ['In Sweden.', 'In a cupboard.'] },
      },
    },
    responses: {
      'application/json': {
        id: 'rerank-1',
        results: [
          { index: 0, relevance_score: 0.98 },
          { index: 1, relevance_score: 0.02 },
        ],
        meta: { billed_units: { search_units: 1 } },
      },
    },
  })
  rerankDocuments(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.handleJson('rerank', request, reply);
  }
}
