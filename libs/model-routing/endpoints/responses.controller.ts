import { Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { PlatformController } from '#http';
import { CallEndpoint } from '../call/call-endpoint';
import { PlatformCallService } from '../call/platform-call.service';

const request = { model: 'gpt-4o', input: 'Say hello.' };

@PlatformController()
export class ResponsesController {
  constructor(private readonly calls: PlatformCallService) {}

  @CallEndpoint('responses', {
    summary: 'Create a response',
    description:
      "OpenAI's Responses API, for every completion model. With `store: true`, the provider stores the response. Only the tenant whose call created it can refer to it later, as with `previous_response_id`, even if tenants share a provider key; see docs/stored-objects.md. If the provider has only chat completions or Anthropic's messages, the request is translated and nothing is stored; see docs/responses-dialect.md.",
    required: ['model', 'input'],
    examples: {
      plain: { summary: 'Whole response', value: request },
      streamed: { summary: 'Server-sent events', value: { ...request, stream: true } },
    },
    responses: {
      'application/json': {
        id: 'resp_1',
        object: 'response',
        status: 'completed',
        model: 'gpt-4o',
        output: [
          {
            type: 'message',
            id: 'msg_1',
            role: 'assistant',
            content: [{ type: 'output_text', text: 'Hello!', annotations: [] }],
          },
        ],
        usage: { input_tokens: 10, output_tokens: 2, total_tokens: 12 },
      },
      'text/event-stream':
        'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hello!"}\n\n',
    },
  })
  createResponse(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.handleJson('responses', request, reply);
  }
}
