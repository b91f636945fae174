import { Body, Controller, Delete, Get, Header, Param, Post } from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiSecurity,
  ApiTags,
} from '@nestjs/swagger';
import { Access, ApiProblems, ChangedBy, jsonOf, sysadminPrefix, validated } from '#http';
import { validKeyId } from './key-fields';
import {
  CreatedSysadminKeyResponse,
  CreateSysadminKeyRequest,
  RemovedSysadminKeyResponse,
  SysadminKeyResponse,
  SysadminKeyListResponse,
} from './sysadmin-keys.dto';
import { SysadminKeysService } from './sysadmin-keys.service';

const keyParam = ApiParam({ name: 'key_id', example: 'BoT0VjF9rQ2', description: "The key's `id`." });

/** No scope opens these: a key that could make keys could make itself a stronger one. */
@ApiTags('3 Keys')
@ApiSecurity('super-api-key')
@Access('sysadmin')
@ApiProblems(
  'unauthenticated',
  'forbidden',
  'validation_failed',
  'malformed_request',
  'credential_store_unavailable',
  'internal_error',
)
@Controller(`${sysadminPrefix}/keys`)
export class SysadminKeysController {
  constructor(private readonly keys: SysadminKeysService) {}

  @Post()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Make a sysadmin key with scopes',
    description:
      'For whoever needs a part of this API: `X-API-Key: <key>` opens the routes of its scopes (`x-tenkey-scope` of each route), perhaps of some tenants only. Only the super key makes, lists and revokes these. The answer is the only time that the key is shown.',
  })
  @ApiBody({
    type: CreateSysadminKeyRequest,
    examples: {
      reader: {
        summary: 'Looks only',
        value: { name: 'dashboard', scopes: ['tenants:read', 'credentials:read'] },
      },
      until: {
        summary: 'Sets credentials, until a day',
        value: { name: 'onboarding', scopes: ['credentials:write'], expires_at: '2099-01-31T00:00:00Z' },
      },
    },
  })
  @ApiCreatedResponse({ type: CreatedSysadminKeyResponse })
  @ApiProblems('payload_too_large', 'unsupported_media_type')
  async create(@Body() body: unknown, @ChangedBy() by: ChangedBy): Promise<CreatedSysadminKeyResponse> {
    const { row, key } = await this.keys.create(validated(CreateSysadminKeyRequest, jsonOf(body)), by);
    return CreatedSysadminKeyResponse.with(row, key);
  }

  @Get()
  @ApiOperation({ summary: 'List sysadmin keys', description: 'Newest first. Never the keys themselves.' })
  @ApiOkResponse({ type: SysadminKeyListResponse })
  async list(): Promise<SysadminKeyListResponse> {
    const rows = await this.keys.list();
    return { items: rows.map((row) => SysadminKeyResponse.of(row)), count: rows.length };
  }

  @Get(':key_id')
  @keyParam
  @ApiOperation({ summary: 'One sysadmin key', description: 'Never the key itself.' })
  @ApiOkResponse({ type: SysadminKeyResponse })
  @ApiProblems('key_not_found')
  async find(@Param('key_id') keyIdText: string): Promise<SysadminKeyResponse> {
    return SysadminKeyResponse.of(await this.keys.find(validKeyId(keyIdText)));
  }

  @Delete(':key_id')
  @keyParam
  @ApiOperation({
    summary: 'Revoke a sysadmin key',
    description:
      'From the answer on no process of Tenkey accepts it. Tenant keys that it made stay. Repeating it is harmless.',
  })
  @ApiOkResponse({ type: RemovedSysadminKeyResponse })
  async remove(
    @Param('key_id') keyIdText: string,
    @ChangedBy() by: ChangedBy,
  ): Promise<RemovedSysadminKeyResponse> {
    const id = validKeyId(keyIdText);
    const deleted = await this.keys.remove(id, by);
    return { id, message: deleted ? 'The key is revoked.' : 'There was no such key.', deleted };
  }
}
