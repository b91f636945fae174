import { HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { ApiOpenAiProblems } from '#http';
import { callProblems } from './call-problems';
import { PlatformCalls } from './platform-calls';
import { PlatformController } from './platform-controller';

const answer = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.011, -0.024, 0.007] }],
  model: 'text-embedding-3-small',
  usage: { prompt_tokens: 1, total_tokens: 1 },
};

@PlatformController('v1/embeddings')
export class EmbeddingsController {
  constructor(private readonly calls: PlatformCalls) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Embeddings',
    description: "OpenAI's format. `model` is a name of ai_models.yml.",
  })
  @ApiBody({
    schema: { type: 'object', required: ['model', 'input'], additionalProperties: true },
    examples: { plain: { summary: 'One text', value: { model: 'text-embedding-3-small', input: 'Hello' } } },
  })
  @ApiOkResponse({
    description: "The provider's answer, byte for byte.",
    content: { 'application/json': { schema: { type: 'object' }, example: answer } },
  })
  @ApiOpenAiProblems(...callProblems)
  embed(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.answer('embeddings', request, reply);
  }
}
