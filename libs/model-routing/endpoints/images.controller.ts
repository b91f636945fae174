import { Readable } from 'node:stream';
import { Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { PlatformController } from '#http';
import { CallEndpoint } from '../call/call-endpoint';
import { PlatformCallService } from '../call/platform-call.service';

@PlatformController()
export class ImagesController {
  constructor(private readonly calls: PlatformCallService) {}

  @CallEndpoint('images/generations', {
    summary: 'Create images',
    description: "OpenAI's format, for the image models in ai_models.yml.",
    required: ['model', 'prompt'],
    examples: {
      plain: { summary: 'One image', value: { model: 'gpt-image', prompt: 'A lighthouse at dusk' } },
    },
    responses: { 'application/json': { created: 1764000000, data: [{ b64_json: 'iVBORw0KGgo=' }] } },
  })
  createImages(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.handleJson('images/generations', request, reply);
  }

  @CallEndpoint('images/edits', {
    summary: 'Edit images',
    description:
      "OpenAI's format, for the image models in ai_models.yml: a form with `image` (or several `image[]`), or JSON with `images`, which names them by URL. In a form, send `model` first, so that the files are passed to the provider while they arrive.",
    required: ['model', 'prompt'],
    examples: {
      plain: {
        summary: 'An image by its URL',
        value: {
          model: 'gpt-image',
          prompt: 'The same at dusk',
          images: [{ image_url: 'https://example.com/lighthouse.png' }],
        },
      },
    },
    form: {
      model: { type: 'string', example: 'gpt-image' },
      prompt: { type: 'string', example: 'The same at dusk' },
      image: { type: 'string', format: 'binary' },
      mask: { type: 'string', format: 'binary' },
    },
    responses: { 'application/json': { created: 1764000000, data: [{ b64_json: 'iVBORw0KGgo=' }] } },
  })
  editImages(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return request.body instanceof Readable
      ? this.calls.handleForm('images/edits', request, reply)
      : this.calls.handleJson('images/edits', request, reply);
  }
}
