import { Body, Controller, Delete, Get, HttpCode, Param, Put, UseGuards } from '@nestjs/common';
import {
  ApiBody,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiSecurity,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { Access, ApiProblems, By, type ChangedBy, jsonOf, validTenantId } from '#http';
import { providers } from '#providers';
import { TenantsService } from '#tenants';
import {
  ListCredentialsAnswer,
  ListedCredentialDto,
  refuseWrongTypes,
  RemoveCredentialAnswer,
  SetCredentialAnswer,
  validFields,
  validProvider,
} from './credentials.dto';
import { CredentialsService } from './credentials.service';
import { FeatureEnabledGuard } from './feature-enabled.guard';

const tenantParam = ApiParam({ name: 'tenant_id', format: 'uuid', description: "The tenant's `id`." });
const providerParam = ApiParam({ name: 'provider', enum: providers.map(({ id }) => id) });
const credentialClasses = [...new Set(providers.map((provider) => provider.credentialClass))];

@ApiTags('2 Credentials')
@ApiSecurity('super-api-key')
@ApiExtraModels(...credentialClasses)
@Access('sysadmin', 'credentials:write')
@UseGuards(FeatureEnabledGuard)
@ApiProblems(
  'unauthenticated',
  'forbidden',
  'feature_disabled',
  'validation_failed',
  'tenant_not_found',
  'malformed_request',
  'credential_store_unavailable',
  'internal_error',
)
@Controller('api/v1/sysadmin/tenants/:tenant_id/credentials')
export class CredentialsController {
  constructor(
    private readonly credentials: CredentialsService,
    private readonly tenants: TenantsService,
  ) {}

  @Put(':provider')
  @HttpCode(200)
  @ApiOperation({
    summary: "Set a tenant's credential",
    description:
      "Seals the key and replaces this provider's entry whole. From the next call on, this tenant's calls to this provider use exactly this key. There is no way to read it back: answers show its last four characters.",
  })
  @providerParam
  @tenantParam
  @ApiBody({
    schema: { anyOf: credentialClasses.map((type) => ({ $ref: getSchemaPath(type) })) },
    examples: Object.fromEntries(
      providers.map((provider) => [provider.id, { summary: provider.label, value: provider.example }]),
    ),
  })
  @ApiOkResponse({ type: SetCredentialAnswer })
  @ApiProblems(
    'validation_failed',
    'credential_validation_failed',
    'endpoint_not_allowed',
    'payload_too_large',
    'unsupported_media_type',
  )
  async set(
    @Param('tenant_id') tenantIdText: string,
    @Param('provider') providerText: string,
    @Body() body: unknown,
    @By() by: ChangedBy,
  ): Promise<SetCredentialAnswer> {
    const tenantId = validTenantId(tenantIdText);
    const provider = validProvider(providerText);
    const input = jsonOf(body);
    refuseWrongTypes(provider, input);
    await this.tenants.find(tenantId);
    const fields = validFields(provider, input);
    const set = await this.credentials.set(tenantId, provider, fields, by);
    const warning = this.credentials.warningOf(provider, fields.settings);
    const message = `The ${provider.label} (${provider.id}) credential is set.`;
    return {
      tenant_id: tenantId,
      provider: provider.id,
      masked_key: set.mask,
      message: warning ? `${message} ${warning}` : message,
      set_at: set.configuredAt.toISOString(),
    };
  }

  @Get()
  @Access('sysadmin', 'credentials:read')
  @ApiOperation({
    summary: "List a tenant's credentials",
    description: 'Masks and settings. Nothing is decrypted, so it also works when an encryption key is lost.',
  })
  @tenantParam
  @ApiOkResponse({ type: ListCredentialsAnswer })
  async list(@Param('tenant_id') tenantIdText: string): Promise<ListCredentialsAnswer> {
    const listed = await this.credentials.list(validTenantId(tenantIdText));
    return { credentials: listed.map((credential) => ListedCredentialDto.of(credential)) };
  }

  @Delete(':provider')
  @ApiOperation({
    summary: "Remove a tenant's credential",
    description:
      'Its calls to this provider then fail with credential_not_configured. Repeating it is harmless.',
  })
  @providerParam
  @tenantParam
  @ApiOkResponse({ type: RemoveCredentialAnswer })
  async remove(
    @Param('tenant_id') tenantIdText: string,
    @Param('provider') providerText: string,
    @By() by: ChangedBy,
  ): Promise<RemoveCredentialAnswer> {
    const tenantId = validTenantId(tenantIdText);
    const provider = validProvider(providerText);
    const deleted = await this.credentials.remove(tenantId, provider, by);
    const message = deleted
      ? `The ${provider.label} (${provider.id}) credential is removed.`
      : `There was no ${provider.label} (${provider.id}) credential.`;
    return { tenant_id: tenantId, provider: provider.id, message, deleted };
  }
}
