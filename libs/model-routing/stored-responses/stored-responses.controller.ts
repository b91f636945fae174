import { applyDecorators, Delete, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiQuery } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { ApiProblems, PlatformController } from '#http';
import { type StoredResponseOperation } from '#providers';
import { callProblems, documentedHeaders } from '../call/call-endpoint';
import { PlatformCallService } from '../call/platform-call.service';
import { StoredResponseService } from './stored-response.service';
import { storedResponseRequest } from './stored-response-request';

const response = {
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  background: true,
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
};

/** A request about a stored response names no model. */
const problems = callProblems.filter((code) => code !== 'model_not_found');

interface Documentation {
  readonly summary: string;
  readonly description: string;
  readonly example: object;
  /** Query parameter -> description. */
  readonly query?: Readonly<Record<string, string>>;
}

function Documented({ summary, description, example, query = {} }: Documentation): MethodDecorator {
  return applyDecorators(
    ApiOperation({ summary, description }),
    ApiParam({
      name: 'response_id',
      description: 'The `id` of a response that a call of this tenant has made.',
      example: 'resp_1',
    }),
    ...Object.entries(query).map(([name, text]) =>
      ApiQuery({ name, description: text, required: false, schema: { type: 'string' } }),
    ),
    ApiOkResponse({
      description: "The provider's own bytes.",
      headers: documentedHeaders(),
      content: { 'application/json': { schema: { type: 'object', additionalProperties: true }, example } },
    }),
    ApiProblems(...problems),
  );
}

const include =
  'Further data to include, as OpenAI documents it. Can be given several times, also as `include[]`.';

@PlatformController()
export class StoredResponsesController {
  constructor(
    private readonly calls: PlatformCallService,
    private readonly responses: StoredResponseService,
  ) {}

  @Get('responses/:response_id')
  @Documented({
    summary: 'Get a stored response',
    description:
      "Fetches a response from the provider that stores it, with the tenant's live credential. For a response of another tenant, the status is 404, even if both tenants share a provider key. The tokens of a background response are recorded with the first call that sees it finished.",
    example: response,
    query: {
      stream: '`true`: the events of a background response, as they arrive.',
      starting_after: 'With `stream`: the sequence number of the last event that the client has.',
      include_obfuscation: 'With `stream`: passed on to the provider.',
      include,
    },
  })
  getStoredResponse(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('response_id') id: string,
  ): Promise<void> {
    return this.handle('responses/get', id, request, reply);
  }

  @Delete('responses/:response_id')
  @Documented({
    summary: 'Delete a stored response',
    description: "Deletes the response at the provider, and Tenkey's record of which tenant owns it.",
    example: { id: 'resp_1', object: 'response', deleted: true },
  })
  deleteStoredResponse(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('response_id') id: string,
  ): Promise<void> {
    return this.handle('responses/delete', id, request, reply);
  }

  @Post('responses/:response_id/cancel')
  @HttpCode(200)
  @Documented({
    summary: 'Cancel a background response',
    description: 'Only a response that was made with `background: true` can be cancelled.',
    example: { ...response, status: 'cancelled', output: [], usage: null },
  })
  cancelStoredResponse(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('response_id') id: string,
  ): Promise<void> {
    return this.handle('responses/cancel', id, request, reply);
  }

  @Get('responses/:response_id/input_items')
  @Documented({
    summary: 'List the input of a stored response',
    description: 'The items that the model was given, in pages.',
    example: { object: 'list', data: [], first_id: null, last_id: null, has_more: false },
    query: {
      limit: 'The number of items on a page.',
      order: '`asc` or `desc`.',
      after: 'The id of an item; the page begins after it.',
      include,
    },
  })
  listInputOfStoredResponse(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('response_id') id: string,
  ): Promise<void> {
    return this.handle('responses/input_items', id, request, reply);
  }

  private handle(
    operation: StoredResponseOperation,
    id: string,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const about = storedResponseRequest(operation, id, request.query as Record<string, unknown>);
    return this.calls.handle(request, reply, (tenantId, options, receiver) =>
      this.responses.serve(tenantId, about, options, receiver),
    );
  }
}
