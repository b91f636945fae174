import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import {
  Access,
  ApiProblems,
  ChangedBy,
  hooks,
  jsonOf,
  SysadminGrant,
  sysadminPrefix,
  validated,
  validTenantId,
} from '#http';
import { ProviderRegistry } from '#providers';
import {
  CreateTenantRequest,
  DeleteTenantQuery,
  ListTenantsQuery,
  refuseUnknownProviders,
  SetTenantRequest,
  tenantParam,
  TenantPageResponse,
  TenantResponse,
  UpdateTenantRequest,
} from './tenants.dto';
import { TenantsService } from './tenants.service';

@ApiTags('Tenants')
@Access('sysadmin', 'tenants:write')
@Controller(`${sysadminPrefix}/tenants`)
export class TenantsController {
  constructor(
    private readonly tenants: TenantsService,
    private readonly providers: ProviderRegistry,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Create a tenant',
    description: 'A tenant owns credentials and pays for its calls.',
  })
  @ApiBody({
    type: CreateTenantRequest,
    examples: {
      usual: {
        summary: 'Usual',
        value: {
          name: 'sundsvall',
          display_name: 'Sundsvalls kommun',
          contact_email: 'it-drift@sundsvall.example',
        },
      },
      own_id: {
        summary: "With the platform's own id",
        value: { id: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10', name: 'harnosand' },
      },
    },
  })
  @ApiCreatedResponse({ type: TenantResponse, headers: hooks.inForceHeader })
  @ApiProblems('tenant_conflict')
  async createTenant(@Body() body: unknown, @ChangedBy() by: ChangedBy): Promise<TenantResponse> {
    const dto = this.fieldsOf(CreateTenantRequest, body);
    return TenantResponse.of(await this.tenants.create(dto, by));
  }

  @Get()
  @Access('sysadmin', 'tenants:read', { filtersTenants: true })
  @ApiOperation({
    summary: 'List tenants',
    description: 'Newest first, in pages. A key that is limited to some tenants sees only those.',
  })
  @ApiOkResponse({ type: TenantPageResponse })
  async listTenants(
    @Query() query: ListTenantsQuery,
    @SysadminGrant() grant: SysadminGrant,
  ): Promise<TenantPageResponse> {
    const page = await this.tenants.list(validated(ListTenantsQuery, query), grant.tenantIds ?? undefined);
    const items = page.items.map((tenant) => TenantResponse.of(tenant));
    return { items, count: items.length, total: page.total, next_cursor: page.nextCursor };
  }

  @Get(':tenant_id')
  @Access('sysadmin', 'tenants:read')
  @tenantParam
  @ApiOperation({ summary: 'Get a tenant' })
  @ApiOkResponse({ type: TenantResponse })
  async getTenant(@Param('tenant_id') id: string): Promise<TenantResponse> {
    return TenantResponse.of(await this.tenants.find(validTenantId(id)));
  }

  @Put(':tenant_id')
  @tenantParam
  @ApiOperation({
    summary: 'Create or replace a tenant',
    description:
      'Replaces all fields of the tenant. A field that is left out gets its default: without `state`, a suspended tenant becomes active. A tenant that does not exist is created with this id. Repeating the request changes nothing, and a request that changes nothing is not audited.',
  })
  @ApiBody({
    type: SetTenantRequest,
    examples: {
      usual: {
        summary: 'Usual',
        value: {
          name: 'sundsvall',
          display_name: 'Sundsvalls kommun',
          contact_email: 'it-drift@sundsvall.example',
          expected_providers: ['openai'],
        },
      },
    },
  })
  @ApiOkResponse({ type: TenantResponse, headers: hooks.inForceHeader })
  @ApiProblems('tenant_conflict')
  async setTenant(
    @Param('tenant_id') id: string,
    @Body() body: unknown,
    @ChangedBy() by: ChangedBy,
  ): Promise<TenantResponse> {
    const tenantId = validTenantId(id);
    const dto = this.fieldsOf(SetTenantRequest, body);
    return TenantResponse.of(await this.tenants.set(tenantId, dto, by));
  }

  @Patch(':tenant_id')
  @tenantParam
  @ApiOperation({
    summary: 'Change a tenant',
    description: 'A suspended tenant keeps its credentials, and its calls are refused.',
  })
  @ApiBody({
    type: UpdateTenantRequest,
    examples: {
      suspend: { summary: 'Suspend', value: { state: 'suspended' } },
      activate: { summary: 'Activate', value: { state: 'active' } },
      contact: {
        summary: 'Set the contact for alerts',
        value: { contact_email: 'it-drift@sundsvall.example' },
      },
      rename: { summary: 'Rename', value: { name: 'sundsvall', display_name: 'Sundsvalls kommun' } },
    },
  })
  @ApiOkResponse({ type: TenantResponse, headers: hooks.inForceHeader })
  @ApiProblems('tenant_conflict')
  async updateTenant(
    @Param('tenant_id') id: string,
    @Body() body: unknown,
    @ChangedBy() by: ChangedBy,
  ): Promise<TenantResponse> {
    const tenantId = validTenantId(id);
    const dto = this.fieldsOf(UpdateTenantRequest, body);
    return TenantResponse.of(await this.tenants.update(tenantId, dto, by));
  }

  @Delete(':tenant_id')
  @tenantParam
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete a tenant',
    description:
      'Also deletes its credentials and keys, and removes it from the sysadmin keys that are limited to some tenants. With `erase=true` its name, display name and contact are also removed from the audit, whose chain stays whole. This cannot be undone.',
  })
  @ApiNoContentResponse({ description: 'Deleted.', headers: hooks.inForceHeader })
  async deleteTenant(
    @Param('tenant_id') id: string,
    @Query() query: DeleteTenantQuery,
    @ChangedBy() by: ChangedBy,
  ): Promise<void> {
    const tenantId = validTenantId(id);
    const { erase } = validated(DeleteTenantQuery, query);
    await this.tenants.remove(tenantId, by, erase === 'true');
  }

  /** @throws Problem validation_failed */
  private fieldsOf<T extends UpdateTenantRequest>(type: new () => T, body: unknown): T {
    const dto = validated(type, jsonOf(body));
    refuseUnknownProviders(this.providers, dto);
    return dto;
  }
}
