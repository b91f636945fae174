import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { type CredentialStatus, credentialStatuses } from '#credentials';
import { credentialPath, type ProblemCode, problems } from '#http';
import { type TenantState, tenantStates } from '#tenants';
import { type ExplainedModel } from './explain.service';
import { type ExplainedCredential, type Obstacle } from './explanation';
import { type ModelKind, modelKinds } from '../catalogue/model';

export class ObstacleResponse {
  @ApiProperty({
    enum: Object.keys(problems),
    example: 'credential_not_configured',
    description: 'The code of the problem that a call would meet.',
  })
  code: ProblemCode;
  @ApiProperty({
    example:
      'Tenant 0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10 has no OpenAI credential, and no other key is used.',
  })
  detail: string;
  @ApiPropertyOptional({
    example: `PUT ${credentialPath('0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10', 'openai')} with {"api_key":"..."}`,
    description: 'The exact fix.',
  })
  hint?: string;

  static of({ code, detail, hint }: Obstacle): ObstacleResponse {
    return { code, detail, ...(hint !== undefined && { hint }) };
  }
}

export class ExplainedCredentialResponse {
  @ApiProperty({ enum: ['tenant', 'global'], description: 'Whose key pays.' })
  source: 'tenant' | 'global';
  @ApiProperty({ example: '...xyz9' })
  masked_key: string;
  @ApiProperty({ example: '3', nullable: true, type: String, description: 'Null for a global key.' })
  version: string | null;
  @ApiProperty({
    nullable: true,
    type: String,
    example: 'ready',
    description: "As in the list of the tenant's credentials; null for a global key.",
  })
  status: CredentialStatus | null;
  @ApiProperty({ format: 'date-time', nullable: true, type: String })
  expires_at: string | null;

  static of({ source, mask, version, stored }: ExplainedCredential): ExplainedCredentialResponse {
    return {
      source,
      masked_key: mask,
      version,
      status: stored?.status ?? null,
      expires_at: stored?.expiresAt?.toISOString() ?? null,
    };
  }
}

export class ExplainedStagedResponse {
  @ApiProperty({ example: '...xyz9' })
  masked_key: string;
  @ApiProperty({ example: '4' })
  version: string;
  @ApiProperty({ enum: credentialStatuses, example: 'ready' })
  status: CredentialStatus;
}

export class ExplainedModelResponse {
  @ApiProperty({ example: 'gpt-4o' })
  name: string;
  @ApiProperty({ enum: modelKinds })
  kind: ModelKind;
  @ApiProperty({ enum: ['litellm', 'legacy'] })
  adapter: 'litellm' | 'legacy';
  @ApiProperty({ example: 'openai', nullable: true, type: String, description: 'Null: none serves it.' })
  provider: string | null;
  @ApiProperty({ example: 'gpt-4o', nullable: true, type: String })
  upstream_model: string | null;
  @ApiProperty({
    example: 'gpt-4o',
    nullable: true,
    type: String,
    description: 'The deployment or model addressed; null where nothing would be called.',
  })
  target: string | null;
  @ApiProperty({ example: 'api.openai.com', nullable: true, type: String })
  host: string | null;
  @ApiProperty({ type: [String], example: ['/v1/chat/completions', '/v1/messages'] })
  endpoints: string[];
  @ApiProperty({ type: ExplainedCredentialResponse, nullable: true })
  credential: ExplainedCredentialResponse | null;
  @ApiProperty({
    type: ExplainedStagedResponse,
    nullable: true,
    description: 'Stored beside it, to be promoted; calls do not use it.',
  })
  staged: ExplainedStagedResponse | null;
  @ApiProperty({
    format: 'date-time',
    nullable: true,
    type: String,
    description: 'Until then the credential before it can be taken back; null: there is none.',
  })
  rollback_until: string | null;
  @ApiProperty()
  ready: boolean;
  @ApiProperty({ type: ObstacleResponse, nullable: true, description: 'Null when ready.' })
  problem: ObstacleResponse | null;

  static of(explained: ExplainedModel): ExplainedModelResponse {
    const { model, adapter, provider, upstreamModel, route, endpoints, credential, obstacle } = explained;
    const { staged, previous } = explained.inactive ?? {};
    return {
      name: model.name,
      kind: model.kind,
      adapter,
      provider: provider?.id ?? null,
      upstream_model: upstreamModel ?? null,
      target: route?.target ?? null,
      host: route?.url.host ?? null,
      endpoints: endpoints.map((operation) => `/v1/${operation}`),
      credential: credential ? ExplainedCredentialResponse.of(credential) : null,
      staged: staged ? { masked_key: staged.mask, version: staged.version, status: staged.status } : null,
      rollback_until: previous?.rollbackUntil.toISOString() ?? null,
      ready: obstacle === undefined,
      problem: obstacle ? ObstacleResponse.of(obstacle) : null,
    };
  }
}

export class ExplainedModelsResponse {
  @ApiProperty({ format: 'uuid', example: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10' })
  tenant_id: string;
  @ApiProperty({ enum: tenantStates })
  tenant_state: TenantState;
  @ApiProperty({ enum: ['strict', 'single-tenant'] })
  mode: 'strict' | 'single-tenant';
  @ApiProperty({ type: [ExplainedModelResponse] })
  models: ExplainedModelResponse[];
}
