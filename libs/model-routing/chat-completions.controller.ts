import { HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { ApiOpenAiProblems } from '#http';
import { PlatformCalls } from './platform-calls';
import { PlatformController } from './platform-controller';
import { callProblems } from './call-problems';

const request = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Say hello.' }] };
const answer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1764000000,
  model: 'gpt-4o',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello!' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
};
const streamedAnswer =
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Hello!"}}]}\n\ndata: [DONE]\n\n';

@PlatformController('v1/chat/completions')
export class ChatCompletionsController {
  constructor(private readonly calls: PlatformCalls) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Chat completion',
    description:
      "OpenAI's format. `model` is a name of ai_models.yml; everything else passes to the provider as it is. With `stream: true` the answer is server-sent events. The x-tenkey-* headers of the answer say whose key paid.",
  })
  @ApiBody({
    schema: { type: 'object', required: ['model', 'messages'], additionalProperties: true },
    examples: {
      plain: { summary: 'Whole answer', value: request },
      streamed: { summary: 'Server-sent events', value: { ...request, stream: true } },
    },
  })
  @ApiOkResponse({
    description: "The provider's answer, byte for byte where its format is OpenAI's.",
    content: {
      'application/json': { schema: { type: 'object' }, example: answer },
      'text/event-stream': { schema: { type: 'string' }, example: streamedAnswer },
    },
  })
  @ApiOpenAiProblems(...callProblems)
  complete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.answer('chat/completions', request, reply);
  }
}
