import { Body, Controller, Delete, Get, Header, Param, Post, Put } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, ApiProblems, ChangedBy, jsonOf, sysadminPrefix, validated } from '#http';
import { keyParam, RemovedKeyResponse, validKeyId } from './key-fields';
import {
  CreatedSysadminKeyResponse,
  CreateSysadminKeyRequest,
  SysadminKeyResponse,
  SysadminKeyListResponse,
} from './sysadmin-keys.dto';
import { SysadminKeysService } from './sysadmin-keys.service';

/** No scope opens these routes: a key that could create keys could create a stronger one for itself. */
@ApiTags('Keys')
@Access('sysadmin')
@Controller(`${sysadminPrefix}/keys`)
export class SysadminKeysController {
  constructor(private readonly keys: SysadminKeysService) {}

  @Post()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Create a sysadmin key',
    description:
      'For clients that need only a part of this API: sent as `X-API-Key: <key>`, the key opens the routes of its scopes, for all tenants or for some. In this document, `x-tenkey-scope` names the scope of a route, or lists several of which each opens it; `any` means that every key opens it. Only the super key can create, change, list and revoke these keys. Only this response shows the key.',
  })
  @ApiBody({
    type: CreateSysadminKeyRequest,
    examples: {
      reader: {
        summary: 'Read only',
        value: { name: 'dashboard', scopes: ['tenants:read', 'credentials:read'] },
      },
      until: {
        summary: 'Set credentials, with an expiry',
        value: { name: 'onboarding', scopes: ['credentials:write'], expires_at: '2099-01-31T00:00:00Z' },
      },
    },
  })
  @ApiCreatedResponse({ type: CreatedSysadminKeyResponse })
  async createSysadminKey(
    @Body() body: unknown,
    @ChangedBy() by: ChangedBy,
  ): Promise<CreatedSysadminKeyResponse> {
    const { row, key } = await this.keys.create(validated(CreateSysadminKeyRequest, jsonOf(body)), by);
    return CreatedSysadminKeyResponse.with(row, key);
  }

  @Get()
  @ApiOperation({
    summary: 'List sysadmin keys',
    description: 'Newest first. The keys themselves are not shown.',
  })
  @ApiOkResponse({ type: SysadminKeyListResponse })
  async listSysadminKeys(): Promise<SysadminKeyListResponse> {
    const rows = await this.keys.list();
    return { items: rows.map((row) => SysadminKeyResponse.of(row)), count: rows.length };
  }

  @Get(':key_id')
  @keyParam
  @ApiOperation({ summary: 'Get a sysadmin key', description: 'The key itself is not shown.' })
  @ApiOkResponse({ type: SysadminKeyResponse })
  @ApiProblems('key_not_found')
  async getSysadminKey(@Param('key_id') keyIdText: string): Promise<SysadminKeyResponse> {
    return SysadminKeyResponse.of(await this.keys.find(validKeyId(keyIdText)));
  }

  @Put(':key_id')
  @keyParam
  @ApiOperation({
    summary: 'Change a sysadmin key',
    description:
      'Replaces the name, expiry, scopes and tenants of the key. Without `tenant_ids` it is then for all tenants, and without `expires_at` it does not expire. The key itself stays the same. Repeating the request changes nothing, and a request that changes nothing is not audited.',
  })
  @ApiBody({
    type: CreateSysadminKeyRequest,
    examples: {
      reader: {
        summary: 'Read only',
        value: { name: 'dashboard', scopes: ['tenants:read', 'credentials:read'] },
      },
    },
  })
  @ApiOkResponse({ type: SysadminKeyResponse })
  @ApiProblems('key_not_found')
  async updateSysadminKey(
    @Param('key_id') keyIdText: string,
    @Body() body: unknown,
    @ChangedBy() by: ChangedBy,
  ): Promise<SysadminKeyResponse> {
    const id = validKeyId(keyIdText);
    const dto = validated(CreateSysadminKeyRequest, jsonOf(body));
    return SysadminKeyResponse.of(await this.keys.update(id, dto, by));
  }

  @Delete(':key_id')
  @keyParam
  @ApiOperation({
    summary: 'Revoke a sysadmin key',
    description:
      'After the response, no Tenkey process accepts the key. Tenant keys that were created with it stay valid. Repeating the request is harmless.',
  })
  @ApiOkResponse({ type: RemovedKeyResponse })
  async revokeSysadminKey(
    @Param('key_id') keyIdText: string,
    @ChangedBy() by: ChangedBy,
  ): Promise<RemovedKeyResponse> {
    const id = validKeyId(keyIdText);
    return RemovedKeyResponse.of(id, await this.keys.remove(id, by));
  }
}
