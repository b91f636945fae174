import { Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { PlatformController } from '#http';
import { PlatformCall } from '../call/call-endpoint';
import { PlatformCallService } from '../call/platform-call.service';

const ask = {
  model: 'claude-sonnet',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Say hello.' }],
};

@PlatformController()
export class MessagesController {
  constructor(private readonly calls: PlatformCallService) {}

  @PlatformCall('messages', {
    summary: 'Message (Anthropic)',
    description:
      "Anthropic's own format, for every completion model: to Anthropic's own models it passes as it is, with the headers anthropic-version and anthropic-beta; for all others it is translated, see docs/anthropic-dialect.md. Errors are in Anthropic's shape.",
    required: ['model', 'max_tokens', 'messages'],
    examples: {
      plain: { summary: 'Whole answer', value: ask },
      streamed: { summary: 'Server-sent events', value: { ...ask, stream: true } },
    },
    answers: {
      'application/json': {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-4-5',
        content: [{ type: 'text', text: 'Hello!' }],
        stop_reason: 'end_turn',
        stop_sequence: null,
        usage: { input_tokens: 10, output_tokens: 2 },
      },
      'text/event-stream':
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello!"}}\n\n',
    },
  })
  message(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.answer('messages', request, reply);
  }

  @PlatformCall('messages/count_tokens', {
    summary: 'Count tokens (Anthropic)',
    description: "Anthropic's own format, for Anthropic's own models only: no other provider counts for us.",
    required: ['model', 'messages'],
    examples: { plain: { summary: 'One message', value: { model: ask.model, messages: ask.messages } } },
    answers: { 'application/json': { input_tokens: 10 } },
  })
  countTokens(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.answer('messages/count_tokens', request, reply);
  }
}
