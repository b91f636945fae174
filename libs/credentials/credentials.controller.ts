import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, UseGuards } from '@nestjs/common';
import {
  ApiBody,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiSecurity,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { Access, ApiProblems, By, type ChangedBy, jsonOf, Problem, validTenantId } from '#http';
import { providers } from '#providers';
import { TenantsService } from '#tenants';
import { CredentialVerification } from './credential-verification.service';
import {
  CredentialExtras,
  ListCredentialsAnswer,
  ListedCredentialDto,
  refuseWrongTypes,
  RemoveCredentialAnswer,
  SetCredentialAnswer,
  validFields,
  validProvider,
  VerificationDto,
  VerifyCredentialAnswer,
} from './credentials.dto';
import { CredentialsService } from './credentials.service';
import { expiresWithinDays } from './expiry';
import { FeatureEnabledGuard } from './feature-enabled.guard';

const tenantParam = ApiParam({ name: 'tenant_id', format: 'uuid', description: "The tenant's `id`." });
const providerParam = ApiParam({ name: 'provider', enum: providers.map(({ id }) => id) });
const credentialClasses = [...new Set(providers.map((provider) => provider.credentialClass))];

@ApiTags('2 Credentials')
@ApiSecurity('super-api-key')
@ApiExtraModels(...credentialClasses, CredentialExtras)
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
    private readonly verification: CredentialVerification,
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
  @ApiQuery({
    name: 'verify',
    required: false,
    enum: ['true', 'false'],
    description:
      'true: the provider is asked first, at no cost. A key that it refuses is not stored, and the one before it stays; when it cannot be asked, the key is stored and `verification` says so.',
  })
  @ApiBody({
    schema: {
      allOf: [
        { anyOf: credentialClasses.map((type) => ({ $ref: getSchemaPath(type) })) },
        { $ref: getSchemaPath(CredentialExtras) },
      ],
    },
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
    @Query('verify') verifyText: unknown,
    @Body() body: unknown,
    @By() by: ChangedBy,
  ): Promise<SetCredentialAnswer> {
    const tenantId = validTenantId(tenantIdText);
    const provider = validProvider(providerText);
    const isVerified = validFlag('verify', verifyText);
    const input = jsonOf(body);
    refuseWrongTypes(provider, input);
    await this.tenants.find(tenantId);
    const fields = validFields(provider, input);
    this.credentials.refuseEndpoint(fields.settings);
    const verification = isVerified
      ? await this.verification.verifyNew(tenantId, provider, fields)
      : undefined;
    const set = await this.credentials.set(tenantId, provider, fields, by, { verification });
    const message = [
      `The ${provider.label} (${provider.id}) credential is set.`,
      this.credentials.warningOf(provider, fields.settings),
      expiresWithinDays(fields.expiresAt) === 0 && 'Its expires_at is in the past.',
      verification?.detail,
    ];
    return {
      tenant_id: tenantId,
      provider: provider.id,
      masked_key: set.mask,
      message: message.filter(Boolean).join(' '),
      set_at: set.configuredAt.toISOString(),
      ...(set.verification && { verification: VerificationDto.of(set.verification) }),
    };
  }

  @Post(':provider/verify')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Ask the provider whether it accepts the stored key',
    description:
      'With a request that costs nothing, at the endpoint that is stored with the key and at no other; hence no body. What it says is kept beside the credential and in the audit.',
  })
  @providerParam
  @tenantParam
  @ApiOkResponse({ type: VerifyCredentialAnswer })
  @ApiProblems(
    'payload_too_large',
    'unsupported_media_type',
    'credential_not_configured',
    'credential_unreadable',
    'credential_tampered',
    'credential_plaintext',
  )
  async verify(
    @Param('tenant_id') tenantIdText: string,
    @Param('provider') providerText: string,
    @Body() body: unknown,
    @By() by: ChangedBy,
  ): Promise<VerifyCredentialAnswer> {
    const tenantId = validTenantId(tenantIdText);
    const provider = validProvider(providerText);
    refuseFields(jsonOf(body));
    const verified = await this.verification.verify(tenantId, provider, by);
    return {
      tenant_id: tenantId,
      provider: provider.id,
      masked_key: verified.mask,
      version: verified.version,
      ...VerificationDto.of(verified),
      message: verified.detail,
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

function validFlag(name: string, text: unknown): boolean {
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  const fault = { path: name, message: `${name} must be true or false` };
  throw new Problem('validation_failed', { detail: 'The query is not valid.', errors: [fault] });
}

/** Whoever sends another endpoint or key along must not believe that it was verified. */
function refuseFields(body: unknown): void {
  const isEmpty = body === undefined || (typeof body === 'object' && JSON.stringify(body) === '{}');
  if (isEmpty) return;
  throw new Problem('validation_failed', {
    detail: 'This takes no fields: the stored key is verified at its own endpoint.',
    hint: 'To verify other fields, PUT them with ?verify=true.',
  });
}
