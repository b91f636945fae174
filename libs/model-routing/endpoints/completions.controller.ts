import { Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { PlatformController } from '#http';
import { CallEndpoint } from '../call/call-endpoint';
import { PlatformCallService } from '../call/platform-call.service';

const chat = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Say hello.' }] };
const usage = { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 };

@PlatformController()
export class CompletionsController {
  constructor(private readonly calls: PlatformCallService) {}

  @CallEndpoint('chat/completions', {
    summary: 'Create a chat completion',
    description:
      "OpenAI's format, for every completion model. Requests for Anthropic's models are translated; see docs/anthropic-dialect.md. `model` is a name in ai_models.yml; everything else is passed to the provider unchanged. With `stream: true` the response is a stream of server-sent events. The x-tenkey-* headers of the response say whose key paid.",
    required: ['model', 'messages'],
    examples: {
      plain: { summary: 'Whole response', value: chat },
      streamed: { summary: 'Server-sent events', value: { ...chat, stream: true } },
    },
    responses: {
      'application/json': {
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 1764000000,
        model: 'gpt-4o',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello!' }, finish_reason: 'stop' }],
        usage,
      },
      'text/event-stream':
        'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Hello!"}}]}\n\ndata: [DONE]\n\n',
    },
  })
  createChatCompletion(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.handleJson('chat/completions', request, reply);
  }

  @CallEndpoint('completions', {
    summary: 'Create a text completion',
    description: "OpenAI's older format, for models whose provider still serves it.",
    required: ['model', 'prompt'],
    examples: { plain: { summary: 'Whole response', value: { model: 'gemma-vllm', prompt: 'Once upon' } } },
    responses: {
      'application/json': {
        id: 'cmpl-1',
        object: 'text_completion',
        created: 1764000000,
        model: 'gemma-vllm',
        choices: [{ index: 0, text: ' a time', finish_reason: 'stop', logprobs: null }],
        usage,
      },
      'text/event-stream':
        'data: {"id":"cmpl-1","choices":[{"index":0,"text":" a time"}]}\n\ndata: [DONE]\n\n',
    },
  })
  createCompletion(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.handleJson('completions', request, reply);
  }
}
