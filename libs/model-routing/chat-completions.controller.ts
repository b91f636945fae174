import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOkResponse, ApiOperation, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Access, ApiOpenAiProblems } from '#http';
import { answerCall } from './answer';
import { ModelRoutingService } from './model-routing.service';
import { callProblems } from './call-problems';

const request = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Say hello.' }] };

@ApiTags('3 Platform API')
@ApiSecurity('platform-key')
@ApiHeader({ name: 'X-Tenant-ID', required: true, description: 'The tenant whose key pays.' })
@Access('platform')
@Controller('v1/chat/completions')
export class ChatCompletionsController {
  constructor(private readonly routing: ModelRoutingService) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Chat completion',
    description:
      "OpenAI's format. `model` is a name of ai_models.yml; everything else passes to the provider as it is. With `stream: true` the answer is server-sent events. The x-tenkey-* headers of the answer say whose key paid.",
  })
  @ApiBody({
    schema: { type: 'object', required: ['model', 'messages'], additionalProperties: true },
    examples: { plain: { value: request }, streamed: { value: { ...request, stream: true } } },
  })
  @ApiOkResponse({ description: "The provider's answer, byte for byte where its format is OpenAI's." })
  @ApiOpenAiProblems(...callProblems)
  complete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return answerCall(this.routing, 'chat/completions', request, reply);
  }
}
