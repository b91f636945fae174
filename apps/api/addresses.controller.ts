import { Controller, Get, HttpStatus, Req, Res } from '@nestjs/common';
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
import { Access, platformPrefix, sysadminPrefix } from '#http';

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
  constructor(@InjectConfig() private readonly config: Config) {}

  @Get()
  @ApiOperation({
    summary: 'Get the addresses of this service',
    description: 'A browser, which accepts HTML, is sent to the documentation.',
  })
  @ApiOkResponse({ type: AddressesResponse })
  @ApiFoundResponse({ description: 'For a browser: the address of the documentation.' })
  getAddresses(
    @Req() { headers }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): AddressesResponse | undefined {
    const { publicUrl, docs } = this.config;
    if (docs && headers.accept?.includes('text/html') === true) {
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
