import { Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { PlatformController } from '#http';
import { CallEndpoint } from '../call/call-endpoint';
import { PlatformCallService } from '../call/platform-call.service';

@PlatformController()
export class ModerationsController {
  constructor(private readonly calls: PlatformCallService) {}

  @CallEndpoint('moderations', {
    summary: 'Classify a text as harmful or not',
    description:
      "OpenAI's format, for the moderation models in ai_models.yml. `model` is required, which it is not at OpenAI.",
    required: ['model', 'input'],
    examples: {
      plain: { summary: 'One text', value: { model: 'omni-moderation', input: 'Hello' } },
    },
    responses: {
      'application/json': {
        id: 'modr-1',
        model: 'omni-moderation-latest',
        results: [{ flagged: false, categories: { violence: false }, category_scores: { violence: 0.001 } }],
      },
    },
  })
  createModeration(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.handleJson('moderations', request, reply);
  }
}
