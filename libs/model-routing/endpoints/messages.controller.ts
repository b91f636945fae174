import { Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { PlatformController } from '#http';
import { CallEndpoint } from '../call/call-endpoint';
import { PlatformCallService } from '../call/platform-call.service';

const message = {
  model: 'claude-sonnet',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Say hello.' }],
};

@PlatformController()
export class MessagesController {
  constructor(private readonly calls: PlatformCallService) {}

  @CallEndpoint('messages', {
    summary: 'Create a message',
    description:
      "Anthropic's format, for every completion model. Requests for Anthropic's models are passed on unchanged, with the headers anthropic-version and anthropic-beta. Requests for other models are translated; see docs/anthropic-dialect.md. Errors have Anthropic's format.",
    required: ['model', 'max_tokens', 'messages'],
    examples: {
      plain: { summary: 'Whole response', value: message },
      streamed: { summary: 'Server-sent events', value: { ...message, stream: true } },
    },
    responses: {
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
  createMessage(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.handleJson('messages', request, reply);
  }

  @CallEndpoint('messages/count_tokens', {
    summary: 'Count the tokens of a message',
    description:
      "Anthropic's format, for Anthropic's models only: Tenkey cannot count tokens for other providers.",
    required: ['model', 'messages'],
    examples: {
      plain: { summary: 'One message', value: { model: message.model, messages: message.messages } },
    },
    responses: { 'application/json': { input_tokens: 10 } },
  })
  countMessageTokens(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.handleJson('messages/count_tokens', request, reply);
  }
}
