import { Controller, Get, HttpStatus, Optional, Req, Res } from '@nestjs/common';
import {
  ApiFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiTags,
} from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Config, InjectConfig } from '#config';
import { Access, hasSessionCookie, platformPrefix, sysadminPrefix } from '#http';
import { ConsolePage } from './console/console-page';

class AddressesResponse {
  @ApiProperty({ enum: ['Tenkey'] })
  service: 'Tenkey';
  @ApiProperty({ example: '/v1', description: 'The platform API.' })
  platform_api: string;
  @ApiProperty({ example: sysadminPrefix })
  sysadmin_api: string;
  @ApiProperty({ example: '/health' })
  health: string;
  @ApiProperty({ example: '/ready' })
  ready: string;
  @ApiPropertyOptional({ example: '/docs', description: 'The Swagger UI. Absent with DOCS=false.' })
  docs?: string;
  @ApiPropertyOptional({
    example: '/docs/openapi.json',
    description: 'The OpenAPI document. Absent with DOCS=false.',
  })
  openapi?: string;
}

@ApiTags('Health')
@Access('public')
@Controller()
export class AddressesController {
  constructor(
    @InjectConfig() private readonly config: Config,
    /** Undefined with CONSOLE=false. */
    @Optional() private readonly page?: ConsolePage,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Get the addresses of this service',
    description:
      'A browser, which accepts HTML, gets the console. With CONSOLE=false it is sent to the documentation.',
  })
  @ApiOkResponse({ type: AddressesResponse })
  @ApiFoundResponse({ description: 'For a browser, with CONSOLE=false: the address of the documentation.' })
  getAddresses(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): AddressesResponse | string | undefined {
    const { publicUrl, docs } = this.config;
    const isBrowser = request.headers.accept?.includes('text/html') === true;
    reply.header('vary', 'accept');
    if (isBrowser && this.page !== undefined) {
      const { html, headers } = this.page.respond(hasSessionCookie(request));
      reply.headers(headers);
      return html;
    }
    if (isBrowser && docs) {
      // Without PUBLIC_URL the address is relative, so that the path prefix of a proxy stays.
      reply
        .status(HttpStatus.FOUND)
        .header('location', publicUrl === undefined ? 'docs' : `${publicUrl}/docs`);
      return undefined;
    }
    const at = (path: string) => (publicUrl ?? '') + path;
    return {
      service: 'Tenkey',
      platform_api: at(platformPrefix),
      sysadmin_api: at(sysadminPrefix),
      health: at('/health'),
      ready: at('/ready'),
      ...(docs && { docs: at('/docs'), openapi: at('/docs/openapi.json') }),
    };
  }
}
