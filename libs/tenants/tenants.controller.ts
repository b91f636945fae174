import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiSecurity,
  ApiTags,
} from '@nestjs/swagger';
import {
  Access,
  ApiProblems,
  ChangedBy,
  jsonOf,
  SysadminGrant,
  sysadminPrefix,
  validated,
  validTenantId,
} from '#http';
import {
  CreateTenantRequest,
  ListTenantsQuery,
  TenantResponse,
  TenantPageResponse,
  UpdateTenantRequest,
} from './tenants.dto';
import { TenantsService } from './tenants.service';

const tenantParam = ApiParam({ name: 'tenant_id', format: 'uuid', description: "The tenant's `id`." });

@ApiTags('1 Tenants')
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
@Controller(`${sysadminPrefix}/tenants`)
export class TenantsController {
  constructor(private readonly tenants: TenantsService) {}

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
  @ApiCreatedResponse({ type: TenantResponse })
  @ApiProblems('tenant_conflict', 'payload_too_large', 'unsupported_media_type')
  async create(@Body() body: unknown, @ChangedBy() by: ChangedBy): Promise<TenantResponse> {
    return TenantResponse.of(await this.tenants.create(validated(CreateTenantRequest, jsonOf(body)), by));
  }

  @Get()
  @Access('sysadmin', 'tenants:read', { filtersTenants: true })
  @ApiOperation({
    summary: 'List tenants',
    description: 'Newest first, in pages. A key that is for some tenants sees those.',
  })
  @ApiQuery({
    name: 'limit',
    required: false,
    schema: { type: 'integer', default: 100, minimum: 1, maximum: 1000 },
  })
  @ApiQuery({
    name: 'cursor',
    required: false,
    type: String,
    description: '`next_cursor` of the page before.',
  })
  @ApiQuery({
    name: 'search',
    required: false,
    type: String,
    description: 'Part of the name or display name, any case.',
  })
  @ApiOkResponse({ type: TenantPageResponse })
  async list(@Query() query: unknown, @SysadminGrant() grant: SysadminGrant): Promise<TenantPageResponse> {
    const page = await this.tenants.list(validated(ListTenantsQuery, query), grant.tenantIds ?? undefined);
    const items = page.items.map((tenant) => TenantResponse.of(tenant));
    return { items, count: items.length, total: page.total, next_cursor: page.nextCursor };
  }

  @Get(':tenant_id')
  @Access('sysadmin', 'tenants:read')
  @tenantParam
  @ApiOperation({ summary: 'One tenant' })
  @ApiOkResponse({ type: TenantResponse })
  @ApiProblems('tenant_not_found')
  async find(@Param('tenant_id') id: string): Promise<TenantResponse> {
    return TenantResponse.of(await this.tenants.find(validTenantId(id)));
  }

  @Patch(':tenant_id')
  @tenantParam
  @ApiOperation({
    summary: 'Change a tenant',
    description: 'Suspending refuses its calls and keeps its credentials.',
  })
  @ApiBody({
    type: UpdateTenantRequest,
    examples: {
      suspend: { summary: 'Suspend', value: { state: 'suspended' } },
      activate: { summary: 'Activate', value: { state: 'active' } },
      contact: { summary: 'Set who is told', value: { contact_email: 'it-drift@sundsvall.example' } },
      rename: { summary: 'Rename', value: { name: 'sundsvall', display_name: 'Sundsvalls kommun' } },
    },
  })
  @ApiOkResponse({ type: TenantResponse })
  @ApiProblems('tenant_not_found', 'tenant_conflict', 'payload_too_large', 'unsupported_media_type')
  async update(
    @Param('tenant_id') id: string,
    @Body() body: unknown,
    @ChangedBy() by: ChangedBy,
  ): Promise<TenantResponse> {
    const tenantId = validTenantId(id);
    return TenantResponse.of(
      await this.tenants.update(tenantId, validated(UpdateTenantRequest, jsonOf(body)), by),
    );
  }

  @Delete(':tenant_id')
  @tenantParam
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete a tenant',
    description:
      'Removes its credentials and keys with it, and takes it out of the tenants that sysadmin keys are for. This cannot be undone.',
  })
  @ApiNoContentResponse({ description: 'Gone.' })
  @ApiProblems('tenant_not_found')
  async remove(@Param('tenant_id') id: string, @ChangedBy() by: ChangedBy): Promise<void> {
    await this.tenants.remove(validTenantId(id), by);
  }
}
