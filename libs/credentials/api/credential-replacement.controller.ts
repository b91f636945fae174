import { Body, Controller, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiSecurity, ApiTags } from '@nestjs/swagger';
import {
  Access,
  ApiProblems,
  By,
  type ChangedBy,
  credentialPath,
  jsonOf,
  knownQuery,
  validTenantId,
} from '#http';
import { slots } from '../credential';
import { SwappedCredentialAnswer } from './credential-replacement.dto';
import { CredentialReplacementService } from '../replacement/credential-replacement.service';
import { providerParam, refuseFields, tenantParam, validSlot, validVersion } from './credential-parameters';
import { CredentialVerificationService } from '../health/credential-verification.service';
import { validProvider, VerificationResponse, VerifyCredentialAnswer } from './credentials.dto';
import { expiresWithinDays } from '../expiry';
import { FeatureEnabledGuard } from './feature-enabled.guard';

// A route's own problems take the place of the controller's with the same status, so it names all of that status.
const notFound = ['feature_disabled', 'tenant_not_found'] as const;
const unusable = ['credential_unreadable', 'credential_tampered', 'credential_plaintext'] as const;

/** The steps from a staged key to a live one and back. */
@ApiTags('2 Credentials')
@ApiSecurity('super-api-key')
@Access('sysadmin', 'credentials:write')
@UseGuards(FeatureEnabledGuard)
@ApiProblems(
  'unauthenticated',
  'forbidden',
  'feature_disabled',
  'validation_failed',
  'tenant_not_found',
  'malformed_request',
  'payload_too_large',
  'unsupported_media_type',
  'credential_store_unavailable',
  'internal_error',
)
@Controller(credentialPath(':tenant_id', ':provider'))
export class CredentialReplacementController {
  constructor(
    private readonly verification: CredentialVerificationService,
    private readonly replacement: CredentialReplacementService,
  ) {}

  @Post('verify')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Ask the provider whether it accepts the stored key',
    description:
      'With a request that costs nothing, at the endpoint that is stored with the key and at no other; hence no body. What it says is kept beside the credential and in the audit.',
  })
  @providerParam
  @tenantParam
  @ApiQuery({
    name: 'slot',
    required: false,
    enum: slots,
    description: 'Which one: live (default), staged, or previous, which a rollback would take back.',
  })
  @ApiOkResponse({ type: VerifyCredentialAnswer })
  @ApiProblems(
    ...notFound,
    'credential_not_staged',
    'credential_conflict',
    'credential_not_configured',
    ...unusable,
  )
  async verify(
    @Param('tenant_id') tenantIdText: string,
    @Param('provider') providerText: string,
    @Query() query: unknown,
    @Body() body: unknown,
    @By() by: ChangedBy,
  ): Promise<VerifyCredentialAnswer> {
    const tenantId = validTenantId(tenantIdText);
    const provider = validProvider(providerText);
    const slot = validSlot(knownQuery(query, ['slot']).slot, slots);
    refuseFields(jsonOf(body), {
      detail: 'This takes no fields: the stored key is verified at its own endpoint.',
      hint: 'To verify other fields, PUT them with ?verify=true.',
    });
    const verified = await this.verification.verify(tenantId, provider, by, slot);
    return {
      tenant_id: tenantId,
      provider: provider.id,
      masked_key: verified.mask,
      version: verified.version,
      ...VerificationResponse.of(verified),
      message: verified.detail,
    };
  }

  @Post('promote')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Make the staged credential the live one',
    description:
      'At once: every call from then on uses it, and those that began end with the one that they began with. That one is kept as `previous` and can be taken back within the time that CREDENTIAL_ROLLBACK_HOURS gives. One that the provider refused (rejected or forbidden when it was asked, or in calls) and has not accepted since is not promoted; one that was never verified is.',
  })
  @providerParam
  @tenantParam
  @ApiQuery({
    name: 'version',
    required: false,
    description: 'Only if this version is still the staged one, such as the one that was verified.',
  })
  @ApiOkResponse({ type: SwappedCredentialAnswer })
  @ApiProblems(
    ...notFound,
    'credential_not_staged',
    'credential_conflict',
    'credential_rejected',
    ...unusable,
  )
  async promote(
    @Param('tenant_id') tenantIdText: string,
    @Param('provider') providerText: string,
    @Query() query: unknown,
    @Body() body: unknown,
    @By() by: ChangedBy,
  ): Promise<SwappedCredentialAnswer> {
    const tenantId = validTenantId(tenantIdText);
    const provider = validProvider(providerText);
    const version = validVersion(knownQuery(query, ['version']).version);
    refuseFields(jsonOf(body), {
      detail: 'This takes no fields: what is staged is promoted as it stands.',
      hint: 'To stage other fields, PUT them with ?stage=true.',
    });
    const swapped = await this.replacement.promote(tenantId, provider, by, version);
    const { live, replaced, rollbackUntil } = swapped;
    const message = [
      `The ${provider.label} (${provider.id}) credential ${live.mask} is live.`,
      live.verification === null && 'It was not verified.',
      live.verification &&
        live.verification.outcome !== 'accepted' &&
        `Its last verification said ${live.verification.outcome}.`,
      expiresWithinDays(live.expiresAt) === 0 && 'Its expires_at is in the past.',
      replaced && rollbackUntil && `${replaced.mask} can be taken back until ${rollbackUntil.toISOString()}.`,
      replaced?.whyDropped && `${replaced.mask} is deleted: ${replaced.whyDropped}.`,
    ];
    return SwappedCredentialAnswer.of(tenantId, provider, swapped, message.filter(Boolean).join(' '));
  }

  @Post('rollback')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Take back the last promotion',
    description:
      'The credential before it is live again, with the version that it had. The one rolled back is staged, so that it can be verified and promoted again, unless another is staged already: then it is deleted.',
  })
  @providerParam
  @tenantParam
  @ApiOkResponse({ type: SwappedCredentialAnswer })
  @ApiProblems('credential_conflict', ...unusable)
  async rollback(
    @Param('tenant_id') tenantIdText: string,
    @Param('provider') providerText: string,
    @Query() query: unknown,
    @Body() body: unknown,
    @By() by: ChangedBy,
  ): Promise<SwappedCredentialAnswer> {
    const tenantId = validTenantId(tenantIdText);
    const provider = validProvider(providerText);
    knownQuery(query, []);
    refuseFields(jsonOf(body), {
      detail: 'This takes no fields: the credential before the last promotion is live again as it was.',
      hint: 'To set other fields, PUT them.',
    });
    const swapped = await this.replacement.rollback(tenantId, provider, by);
    const { live, replaced } = swapped;
    const message = [
      `The ${provider.label} (${provider.id}) credential ${live.mask} is live again.`,
      live.status === 'rejected' && `${provider.label} refused it when it was used last.`,
      expiresWithinDays(live.expiresAt) === 0 && 'Its expires_at is in the past.',
      replaced?.slot && `${replaced.mask} is staged.`,
      replaced?.whyDropped && `${replaced.mask} is deleted: ${replaced.whyDropped}.`,
    ];
    return SwappedCredentialAnswer.of(tenantId, provider, swapped, message.filter(Boolean).join(' '));
  }
}
