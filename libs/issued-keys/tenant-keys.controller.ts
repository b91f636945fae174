import { Body, Controller, Delete, Get, Header, Param, Post, Put } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  Access,
  ApiProblems,
  ChangedBy,
  hooks,
  jsonOf,
  SysadminGrant,
  tenantPath,
  validated,
  validTenantId,
} from '#http';
import { tenantParam } from '#tenants';
import { keyParam, RemovedKeyResponse, validKeyId } from './key-fields';
import {
  CreatedTenantKeyResponse,
  CreateTenantKeyRequest,
  RemovedTenantKeyResponse,
  TenantKeyResponse,
  TenantKeyListResponse,
} from './tenant-keys.dto';
import { TenantKeysService } from './tenant-keys.service';

@ApiTags('Keys')
@Access('sysadmin', 'keys:write')
@Controller(`${tenantPath(':tenant_id')}/keys`)
export class TenantKeysController {
  constructor(private readonly keys: TenantKeysService) {}

  @Post()
  @Header('cache-control', 'no-store')
  @tenantParam
  @ApiOperation({
    summary: "Create a key for a tenant's applications",
    description:
      "The key opens the Platform API for this tenant only: as `Authorization: Bearer <key>`, or as `x-api-key: <key>`, which Anthropic's clients send. Only this response shows the key.",
  })
  @ApiBody({
    type: CreateTenantKeyRequest,
    examples: {
      usual: { summary: 'Usual', value: { name: 'chat assistant' } },
      restricted: {
        summary: 'With models, limits and an expiry',
        value: {
          name: 'pilot',
          allowed_models: ['gpt-4o', 'claude-sonnet'],
          requests_per_minute: 60,
          tokens_per_minute: 100000,
          expires_at: '2099-01-31T00:00:00Z',
        },
      },
    },
  })
  @ApiCreatedResponse({ type: CreatedTenantKeyResponse, headers: hooks.inForceHeader })
  async createTenantKey(
    @Param('tenant_id') tenantIdText: string,
    @Body() body: unknown,
    @SysadminGrant() grantor: SysadminGrant,
    @ChangedBy() by: ChangedBy,
  ): Promise<CreatedTenantKeyResponse> {
    const tenantId = validTenantId(tenantIdText);
    const dto = validated(CreateTenantKeyRequest, jsonOf(body));
    const { row, key } = await this.keys.create(tenantId, dto, grantor, by);
    return CreatedTenantKeyResponse.with(row, key, this.keys.warningsOf(row));
  }

  @Get()
  @tenantParam
  @ApiOperation({
    summary: "List a tenant's keys",
    description: 'Newest first. The keys themselves are not shown.',
  })
  @ApiOkResponse({ type: TenantKeyListResponse })
  async listTenantKeys(@Param('tenant_id') tenantIdText: string): Promise<TenantKeyListResponse> {
    const rows = await this.keys.list(validTenantId(tenantIdText));
    return { items: rows.map((row) => TenantKeyResponse.of(row)), count: rows.length };
  }

  @Get(':key_id')
  @keyParam
  @tenantParam
  @ApiOperation({ summary: "Get one of a tenant's keys", description: 'The key itself is not shown.' })
  @ApiOkResponse({ type: TenantKeyResponse })
  @ApiProblems('key_not_found')
  async getTenantKey(
    @Param('tenant_id') tenantIdText: string,
    @Param('key_id') keyIdText: string,
  ): Promise<TenantKeyResponse> {
    return TenantKeyResponse.of(await this.keys.find(validTenantId(tenantIdText), validKeyId(keyIdText)));
  }

  @Put(':key_id')
  @keyParam
  @tenantParam
  @ApiOperation({
    summary: "Change a tenant's key",
    description:
      'Replaces the name, expiry and limits of the key. An expiry or a limit that is left out no longer applies. The key itself stays the same. Repeating the request changes nothing, and a request that changes nothing is not audited.',
  })
  @ApiBody({
    type: CreateTenantKeyRequest,
    examples: {
      limited: {
        summary: 'Limit it to one model',
        value: { name: 'chat assistant', allowed_models: ['gpt-4o'], requests_per_minute: 60 },
      },
    },
  })
  @ApiOkResponse({ type: TenantKeyResponse, headers: hooks.inForceHeader })
  @ApiProblems('key_not_found')
  async updateTenantKey(
    @Param('tenant_id') tenantIdText: string,
    @Param('key_id') keyIdText: string,
    @Body() body: unknown,
    @SysadminGrant() grantor: SysadminGrant,
    @ChangedBy() by: ChangedBy,
  ): Promise<TenantKeyResponse> {
    const [tenantId, id] = [validTenantId(tenantIdText), validKeyId(keyIdText)];
    const dto = validated(CreateTenantKeyRequest, jsonOf(body));
    return TenantKeyResponse.of(await this.keys.update(tenantId, id, dto, grantor, by));
  }

  @Delete(':key_id')
  @keyParam
  @tenantParam
  @ApiOperation({
    summary: "Revoke a tenant's key",
    description:
      'After the response, no Tenkey process accepts the key. Calls that have started run to their end. Repeating the request is harmless.',
  })
  @ApiOkResponse({ type: RemovedTenantKeyResponse, headers: hooks.inForceHeader })
  async revokeTenantKey(
    @Param('tenant_id') tenantIdText: string,
    @Param('key_id') keyIdText: string,
    @ChangedBy() by: ChangedBy,
  ): Promise<RemovedTenantKeyResponse> {
    const tenantId = validTenantId(tenantIdText);
    const id = validKeyId(keyIdText);
    const isDeleted = await this.keys.remove(tenantId, id, by);
    return { tenant_id: tenantId, ...RemovedKeyResponse.of(id, isDeleted) };
  }
}
