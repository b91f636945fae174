import { Body, Controller, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import {
  Access,
  ApiProblems,
  ChangedBy,
  credentialPath,
  hooks,
  jsonOf,
  refuseFields,
  validTenantId,
} from '#http';
import { ProviderRegistry } from '#providers';
import { tenantParam } from '#tenants';
import { slots } from '../credential';
import { SwappedCredentialResponse } from './credential-replacement.dto';
import { CredentialReplacementService } from '../replacement/credential-replacement.service';
import { knownQuery, providerParam, validSlot, validVersion } from './credential-parameters';
import { CredentialVerificationService } from '../health/credential-verification.service';
import { validProvider, VerificationResponse, VerifyCredentialResponse } from './credentials.dto';
import { expiresWithinDays } from '../expiry';
import { FeatureEnabledGuard } from './feature-enabled.guard';

const unusable = ['credential_unreadable', 'credential_tampered', 'credential_plaintext'] as const;

/** The steps that make a staged credential live, and back. */
@ApiTags('Credentials')
@Access('sysadmin', 'credentials:write')
@UseGuards(FeatureEnabledGuard)
@ApiProblems('feature_disabled', 'malformed_request', 'payload_too_large', 'unsupported_media_type')
@Controller(credentialPath(':tenant_id', ':provider'))
export class CredentialReplacementController {
  constructor(
    private readonly verification: CredentialVerificationService,
    private readonly replacement: CredentialReplacementService,
    private readonly providers: ProviderRegistry,
  ) {}

  @Post('verify')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Ask the provider whether it accepts the stored key',
    description:
      'Sends the provider a request that costs nothing, to the endpoint that is stored with the key. This route takes no body, so that a key is never sent to another endpoint. The result is stored with the credential and in the audit.',
  })
  @providerParam
  @tenantParam
  @ApiQuery({
    name: 'slot',
    required: false,
    enum: slots,
    enumName: 'Slot',
    description:
      'The credential to verify: live (default), staged, or previous, which a rollback would make live.',
  })
  @ApiOkResponse({ type: VerifyCredentialResponse })
  @ApiProblems('credential_not_staged', 'credential_conflict', 'credential_not_configured', ...unusable)
  async verifyCredential(
    @Param('tenant_id') tenantIdText: string,
    @Param('provider') providerText: string,
    @Query() query: unknown,
    @Body() body: unknown,
    @ChangedBy() by: ChangedBy,
  ): Promise<VerifyCredentialResponse> {
    const tenantId = validTenantId(tenantIdText);
    const provider = validProvider(this.providers, providerText);
    const slot = validSlot(knownQuery(query, ['slot']).slot, slots);
    refuseFields(jsonOf(body), {
      detail: 'This route accepts no fields: the stored key is verified at its own endpoint.',
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
      'Every call that starts after the response uses it; calls that have been sent keep their credential. The replaced credential is kept as `previous`, and can be rolled back to for CREDENTIAL_ROLLBACK_HOURS.\n\nA staged credential can be promoted without a verification. It cannot be promoted if the provider refused it and has not accepted it since.',
  })
  @providerParam
  @tenantParam
  @ApiQuery({
    name: 'version',
    required: false,
    schema: { type: 'string', pattern: '^[1-9][0-9]{0,18}$' },
    description: 'Promote only if this version is still the staged one. Give the version that was verified.',
  })
  @ApiOkResponse({ type: SwappedCredentialResponse, headers: hooks.inForceHeader })
  @ApiProblems('credential_not_staged', 'credential_conflict', 'credential_rejected', ...unusable)
  async promoteCredential(
    @Param('tenant_id') tenantIdText: string,
    @Param('provider') providerText: string,
    @Query() query: unknown,
    @Body() body: unknown,
    @ChangedBy() by: ChangedBy,
  ): Promise<SwappedCredentialResponse> {
    const tenantId = validTenantId(tenantIdText);
    const provider = validProvider(this.providers, providerText);
    const version = validVersion(knownQuery(query, ['version']).version);
    refuseFields(jsonOf(body), {
      detail: 'This route accepts no fields: the staged credential is promoted unchanged.',
      hint: 'To stage other fields, PUT them with ?stage=true.',
    });
    const swapped = await this.replacement.promote(tenantId, provider, by, version);
    const { live, replaced, rollbackUntil } = swapped;
    const message = [
      `The ${provider.label} (${provider.id}) credential ${live.mask} is live.`,
      live.verification === null && 'It was not verified.',
      live.verification &&
        live.verification.outcome !== 'accepted' &&
        `The outcome of its last verification was ${live.verification.outcome}.`,
      expiresWithinDays(live.expiresAt) === 0 && 'Its expires_at is in the past.',
      replaced &&
        rollbackUntil &&
        `${replaced.mask} can be rolled back to until ${rollbackUntil.toISOString()}.`,
      replaced?.whyDropped && `${replaced.mask} is deleted: ${replaced.whyDropped}.`,
    ];
    return SwappedCredentialResponse.of(tenantId, provider, swapped, message.filter(Boolean).join(' '));
  }

  @Post('rollback')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Roll back the last promotion',
    description:
      'Makes the previous credential live again, with its old version. The credential that was live is staged, so that it can be verified and promoted again. If another credential is staged already, that one stays, and the credential that was live is deleted.',
  })
  @providerParam
  @tenantParam
  @ApiOkResponse({ type: SwappedCredentialResponse, headers: hooks.inForceHeader })
  @ApiProblems('credential_conflict', ...unusable)
  async rollBackCredential(
    @Param('tenant_id') tenantIdText: string,
    @Param('provider') providerText: string,
    @Query() query: unknown,
    @Body() body: unknown,
    @ChangedBy() by: ChangedBy,
  ): Promise<SwappedCredentialResponse> {
    const tenantId = validTenantId(tenantIdText);
    const provider = validProvider(this.providers, providerText);
    knownQuery(query, []);
    refuseFields(jsonOf(body), {
      detail:
        'This route accepts no fields: the credential from before the last promotion is live again, unchanged.',
      hint: 'To set other fields, PUT them.',
    });
    const swapped = await this.replacement.rollback(tenantId, provider, by);
    const { live, replaced } = swapped;
    const message = [
      `The ${provider.label} (${provider.id}) credential ${live.mask} is live again.`,
      live.status === 'rejected' && `${provider.label} rejected it when it was last used.`,
      expiresWithinDays(live.expiresAt) === 0 && 'Its expires_at is in the past.',
      replaced?.slot && `${replaced.mask} is staged.`,
      replaced?.whyDropped && `${replaced.mask} is deleted: ${replaced.whyDropped}.`,
    ];
    return SwappedCredentialResponse.of(tenantId, provider, swapped, message.filter(Boolean).join(' '));
  }
}
