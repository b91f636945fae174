import { Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { PlatformController } from '#http';
import { PlatformCall } from '../call/call-endpoint';
import { PlatformCallService } from '../call/platform-call.service';

@PlatformController()
export class ModerationsController {
  constructor(private readonly calls: PlatformCallService) {}

  @PlatformCall('moderations', {
    summary: 'Moderation',
    description: "OpenAI's format, for the moderation models of ai_models.yml. Here `model` is required.",
    required: ['model', 'input'],
    examples: {
      plain: { summary: 'One text', value: { model: 'omni-moderation', input: 'Hello' } },
    },
    answers: {
      'application/json': {
        id: 'modr-1',
        model: 'omni-moderation-latest',
        results: [{ flagged: false, categories: { violence: false }, category_scores: { violence: 0.001 } }],
      },
    },
  })
  moderate(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.answer('moderations', request, reply);
  }
}
