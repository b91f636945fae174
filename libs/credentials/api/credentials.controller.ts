import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, UseGuards } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiOkResponse, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import {
  Access,
  ApiProblems,
  ChangedBy,
  credentialPath,
  hooks,
  jsonOf,
  tenantPath,
  validTenantId,
} from '#http';
import { type ProbeResult } from '#egress';
import { fixedProviders, type Provider, ProviderRegistry } from '#providers';
import { tenantParam, TenantsService } from '#tenants';
import { type CredentialFields, inactiveSlots } from '../credential';
import { credentialBodies, credentialBody } from './credential-bodies';
import { ListCredentialsResponse } from './credential-list.dto';
import { CredentialReplacementService } from '../replacement/credential-replacement.service';
import { knownQuery, providerParam, validFlag, validSlot } from './credential-parameters';
import { CredentialSlotsService } from '../rows/credential-slots.service';
import { CredentialVerificationService } from '../health/credential-verification.service';
import {
  checkedBody,
  refuseWrongTypes,
  RemoveCredentialResponse,
  SetCredentialResponse,
  validFields,
  validProvider,
  VerificationResponse,
} from './credentials.dto';
import { CredentialsService } from '../credentials.service';
import { expiresWithinDays } from '../expiry';
import { FeatureEnabledGuard } from './feature-enabled.guard';

@ApiTags('Credentials')
@ApiExtraModels(...credentialBodies)
@Access('sysadmin', 'credentials:write')
@UseGuards(FeatureEnabledGuard)
@ApiProblems('feature_disabled')
@Controller(`${tenantPath(':tenant_id')}/credentials`)
export class CredentialsController {
  constructor(
    private readonly credentials: CredentialsService,
    private readonly tenants: TenantsService,
    private readonly verification: CredentialVerificationService,
    private readonly slots: CredentialSlotsService,
    private readonly replacement: CredentialReplacementService,
    private readonly providers: ProviderRegistry,
  ) {}

  @Put(':provider')
  @HttpCode(200)
  @ApiOperation({
    summary: "Set a tenant's credential",
    description:
      "Seals the key and replaces this provider's live credential as a whole. From the next call on, this tenant's calls to this provider use exactly this key. The key cannot be read back; responses show its last four characters. With `stage=true` the credential is staged, and calls use the live one until the staged one is promoted.",
  })
  @providerParam
  @tenantParam
  @ApiQuery({
    name: 'verify',
    required: false,
    type: Boolean,
    description:
      'true: Tenkey first asks the provider whether it accepts the key, at no cost. A key that the provider refuses is not stored. If the provider cannot be reached, the key is stored and `verification` says so.',
  })
  @ApiQuery({
    name: 'stage',
    required: false,
    type: Boolean,
    description:
      'true: the credential is staged and replaces the one that was staged before. Verify it with `.../verify?slot=staged`, then make it live with `.../promote`. false: the credential is live at once. A staged credential stays, and an earlier promotion can no longer be rolled back.',
  })
  @ApiBody({
    schema: credentialBody,
    examples: Object.fromEntries(
      fixedProviders.map((provider) => [provider.id, { summary: provider.label, value: provider.example }]),
    ),
  })
  @ApiOkResponse({ type: SetCredentialResponse, headers: hooks.inForceHeader })
  @ApiProblems('credential_validation_failed', 'endpoint_not_allowed', 'encryption_key_mismatch')
  async setCredential(
    @Param('tenant_id') tenantIdText: string,
    @Param('provider') providerText: string,
    @Query() query: unknown,
    @Body() body: unknown,
    @ChangedBy() by: ChangedBy,
  ): Promise<SetCredentialResponse> {
    const tenantId = validTenantId(tenantIdText);
    const provider = validProvider(this.providers, providerText);
    const { verify, stage } = knownQuery(query, ['verify', 'stage']);
    const isVerified = validFlag('verify', verify);
    const isStaged = validFlag('stage', stage);
    const checked = checkedBody(provider, jsonOf(body));
    refuseWrongTypes(this.providers, provider, checked);
    const tenant = await this.tenants.find(tenantId);
    const { fields, note, ignored } = validFields(this.providers, provider, checked);
    this.credentials.refuseEndpoint(fields.settings, tenant);
    const verification = isVerified
      ? await this.verification.verifyNew(tenantId, provider, fields)
      : undefined;
    const { stored, message } = isStaged
      ? await this.stage(tenantId, provider, fields, by, verification)
      : await this.setLive(tenantId, provider, fields, by, verification);
    const warnings = [
      note,
      this.credentials.warningOf(provider, fields.settings),
      expiresWithinDays(fields.expiresAt) === 0 && 'Its expires_at is in the past.',
      verification?.detail,
    ];
    return {
      tenant_id: tenantId,
      provider: provider.id,
      masked_key: stored.mask,
      message: [message, ...warnings].filter(Boolean).join(' '),
      set_at: stored.configuredAt.toISOString(),
      ...(stored.verification && { verification: VerificationResponse.of(stored.verification) }),
      ...(ignored.length > 0 && { ignored_fields: [...ignored] }),
      ...(isStaged && { staged: true, version: stored.version }),
    };
  }

  @Get()
  @Access('sysadmin', 'credentials:read')
  @ApiOperation({
    summary: "List a tenant's credentials",
    description:
      'Returns masks and settings. Nothing is decrypted, so this works even if an encryption key is lost.',
  })
  @tenantParam
  @ApiOkResponse({ type: ListCredentialsResponse })
  async listCredentials(@Param('tenant_id') tenantIdText: string): Promise<ListCredentialsResponse> {
    return ListCredentialsResponse.of(await this.slots.list(validTenantId(tenantIdText)), this.providers);
  }

  @Delete(':provider')
  @ApiOperation({
    summary: "Delete a tenant's credential",
    description:
      'Deletes the staged and the previous credential as well. Calls of the tenant to this provider then fail with `credential_not_configured`. Repeating the request is harmless.',
  })
  @providerParam
  @tenantParam
  @ApiQuery({
    name: 'slot',
    required: false,
    enum: inactiveSlots,
    enumName: 'InactiveSlot',
    description: 'Deletes only the staged or only the previous credential; the live one stays.',
  })
  @ApiOkResponse({ type: RemoveCredentialResponse, headers: hooks.inForceHeader })
  async deleteCredential(
    @Param('tenant_id') tenantIdText: string,
    @Param('provider') providerText: string,
    @Query() query: unknown,
    @ChangedBy() by: ChangedBy,
  ): Promise<RemoveCredentialResponse> {
    const tenantId = validTenantId(tenantIdText);
    const { id, label } = await this.knownOrStored(tenantId, providerText);
    const slot = validSlot(knownQuery(query, ['slot']).slot, inactiveSlots);
    const deleted = slot
      ? await this.replacement.discard(tenantId, id, slot, by)
      : await this.credentials.remove(tenantId, id, by);
    const credential = `${slot ? `${slot} ` : ''}${label === undefined ? id : `${label} (${id})`} credential`;
    const message = deleted ? `The ${credential} is removed.` : `There was no ${credential}.`;
    return { tenant_id: tenantId, provider: id, message, deleted };
  }

  /** Also a provider that is no longer declared, if the tenant has a credential for it. */
  private async knownOrStored(tenantId: string, text: string): Promise<{ id: string; label?: string }> {
    const known = this.providers.find(text);
    if (known) return known;
    const stored = (await this.slots.ofTenant(tenantId)).all();
    return stored.some(({ provider }) => provider === text)
      ? { id: text }
      : validProvider(this.providers, text);
  }

  private async setLive(
    tenantId: string,
    provider: Provider,
    fields: CredentialFields,
    by: ChangedBy,
    verification?: ProbeResult,
  ) {
    const stored = await this.credentials.set(tenantId, provider, fields, by, { verification });
    const message = [
      `The ${provider.label} (${provider.id}) credential is set.`,
      stored.stillStaged && `${stored.stillStaged} is still staged.`,
      stored.dropped && `${stored.dropped}, from before the last promotion, can no longer be rolled back to.`,
    ];
    return { stored, message: message.filter(Boolean).join(' ') };
  }

  private async stage(
    tenantId: string,
    provider: Provider,
    fields: CredentialFields,
    by: ChangedBy,
    verification?: ProbeResult,
  ) {
    const stored = await this.replacement.stage(tenantId, provider, fields, by, verification);
    const path = credentialPath(tenantId, provider.id);
    const message = [
      `The ${provider.label} (${provider.id}) credential is staged as version ${stored.version};`,
      stored.liveMask
        ? `calls go on using ${stored.liveMask}.`
        : 'no call uses it yet, and no credential is live.',
      verification === undefined && `POST ${path}/verify?slot=staged asks ${provider.label} about it.`,
      `POST ${path}/promote?version=${stored.version} makes it live.`,
    ];
    return { stored, message: message.filter(Boolean).join(' ') };
  }
}
