import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { AuditLogService } from '#audit';
import { type Config, InjectConfig } from '#config';
import { EgressService, type ProbeResult, probeResult, type RouteCredential } from '#egress';
import { type ChangedBy, Problem } from '#http';
import { InvalidTarget, type Probe, type Provider } from '#providers';
import { TenantsService } from '#tenants';
import { type CredentialFields, type Slot } from '../credential';
import { CredentialSlotsService } from '../rows/credential-slots.service';
import { CredentialsService } from '../credentials.service';
import { recordVerification } from './health-records';

/** The result of verifying a stored credential. */
export interface VerifiedCredential extends ProbeResult {
  readonly mask: string;
  readonly version: string;
  readonly verifiedAt: Date;
}

/**
 * Asks providers whether they accept a key, with a request that costs nothing. A stored key is sent only to the endpoint that
 * it is sealed with. A request cannot name another one, so it cannot have the key sent elsewhere.
 */
@Injectable()
export class CredentialVerificationService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
    private readonly tenants: TenantsService,
    private readonly credentials: CredentialsService,
    private readonly slots: CredentialSlotsService,
    private readonly egress: EgressService,
    private readonly audit: AuditLogService,
  ) {}

  /**
   * Verifies the stored credential of a slot. The result is stored with it and in the audit.
   * @throws Problem when the slot is empty or its credential cannot be used
   */
  async verify(
    tenantId: string,
    provider: Provider,
    by: ChangedBy,
    slot: Slot = 'live',
  ): Promise<VerifiedCredential> {
    await this.tenants.find(tenantId);
    const credential =
      slot === 'live'
        ? await this.credentials.resolve(tenantId, provider)
        : await this.slots.resolve(tenantId, provider, slot);
    const result = await this.probe(credential);
    const verifiedAt = new Date();
    const { mask } = credential;
    const version = credential.version ?? '';
    await this.dataSource.transaction(async (transaction) => {
      await recordVerification(transaction, { tenantId, provider: provider.id, version }, result, verifiedAt);
      await this.audit.record(transaction, by, {
        action: 'credential.verify',
        tenantId,
        provider: provider.id,
        details: { mask, version, outcome: result.outcome, ...(slot !== 'live' && { slot }) },
      });
    });
    return { ...result, mask, version, verifiedAt };
  }

  /**
   * Verifies a key that is not stored yet.
   * @throws Problem credential_validation_failed when the provider refuses it
   */
  async verifyNew(tenantId: string, provider: Provider, fields: CredentialFields): Promise<ProbeResult> {
    const result = await this.probe({
      tenantId,
      provider,
      source: 'tenant',
      mask: fields.apiKey.mask,
      version: null,
      settings: fields.settings,
      open: () => fields.apiKey,
    });
    if (!result.isRefused) return result;
    throw new Problem('credential_validation_failed', {
      detail: `${result.detail} Nothing was changed.`,
      hint: `Give a key that ${provider.label} accepts, or leave out verify=true to store this one anyway.`,
      errors: [
        { path: 'api_key', message: `${provider.id}: the provider's response means ${result.outcome}` },
      ],
    });
  }

  /** Asks the provider. The result is not stored. */
  async probe(credential: RouteCredential): Promise<ProbeResult> {
    const { tenantId, provider, settings } = credential;
    const ownEndpoint = typeof settings.endpoint === 'string' ? settings.endpoint : undefined;
    const endpoint = ownEndpoint ?? this.config.endpointOf(provider);
    if (endpoint === undefined) {
      return probeResult('unreachable', `There is no address for ${provider.label} yet.`, 0);
    }
    let probe: Probe;
    try {
      probe = provider.probe(new URL(endpoint), settings);
    } catch (error) {
      if (!(error instanceof InvalidTarget)) throw error;
      return probeResult('wrong_host', `The ${provider.label} setting ${error.setting} is not valid.`, 0);
    }
    const { egressAllow } = await this.tenants.find(tenantId);
    return this.egress.probe(
      {
        tenantId,
        provider,
        url: probe.url,
        host: new URL(endpoint).host,
        version: credential.version,
        isOperatorAddress: ownEndpoint === undefined,
        ...(egressAllow !== null && { egressAllow }),
        credential,
      },
      probe,
    );
  }
}
