import { Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { PlatformController } from '#http';
import { CallEndpoint } from '../call/call-endpoint';
import { PlatformCallService } from '../call/platform-call.service';

@PlatformController()
export class ImagesController {
  constructor(private readonly calls: PlatformCallService) {}

  @CallEndpoint('images/generations', {
    summary: 'Image',
    description: "OpenAI's format, for the image models in ai_models.yml.",
    required: ['model', 'prompt'],
    examples: {
      plain: { summary: 'One image', value: { model: 'gpt-image', prompt: 'A lighthouse at dusk' } },
    },
    responses: { 'application/json': { created: 1764000000, data: [{ b64_json: 'iVBORw0KGgo=' }] } },
  })
  generate(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.handleJson('images/generations', request, reply);
  }
}
