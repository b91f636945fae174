import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { type Mode, modes } from '#config';
import { type CredentialStatus, credentialStatuses } from '#credentials';
import { type AdapterName, adapterNames, type CredentialSource, credentialSources } from '#egress';
import { credentialPath, hintAt, type ProblemCode, problems } from '#http';
import { type TargetSource, targetSources } from '#providers';
import { type TenantState, tenantStates } from '#tenants';
import { type ExpectedProblem, type ExplainedCredential, type ModelExplanation } from './explain-model';
import { type ModelKind, modelKinds } from '../catalogue/model';

export class ExpectedProblemResponse {
  @ApiProperty({
    enum: Object.keys(problems),
    enumName: 'ProblemCode',
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

  /** @param publicUrl the address of Tenkey for its clients, if it is known */
  static of({ code, detail, hint }: ExpectedProblem, publicUrl: string | undefined): ExpectedProblemResponse {
    return { code, detail, ...(hint !== undefined && { hint: hintAt(publicUrl, hint) }) };
  }
}

export class ExplainedCredentialResponse {
  @ApiProperty({ enum: credentialSources, enumName: 'CredentialSource', description: 'Whose key pays.' })
  source: CredentialSource;
  @ApiProperty({ example: '...xyz9' })
  masked_key: string;
  @ApiProperty({ example: '3', nullable: true, type: String, description: 'Null for a global key.' })
  version: string | null;
  @ApiProperty({
    enum: credentialStatuses,
    enumName: 'CredentialStatus',
    nullable: true,
    example: 'ready',
    description: "The same as in the list of the tenant's credentials; null for a global key.",
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
  @ApiProperty({ enum: credentialStatuses, enumName: 'CredentialStatus', example: 'ready' })
  status: CredentialStatus;
}

export class ExplainedModelResponse {
  @ApiProperty({ example: 'gpt-4o' })
  name: string;
  @ApiProperty({ enum: modelKinds, enumName: 'ModelKind' })
  kind: ModelKind;
  @ApiProperty({ enum: adapterNames, enumName: 'AdapterName' })
  adapter: AdapterName;
  @ApiProperty({
    example: 'openai',
    nullable: true,
    type: String,
    description: 'Null when no provider serves the model.',
  })
  provider: string | null;
  @ApiProperty({ example: 'gpt-4o', nullable: true, type: String })
  upstream_model: string | null;
  @ApiProperty({
    example: 'gpt-4o',
    nullable: true,
    type: String,
    description: 'The deployment or model that a call would reach; null when no call would be made.',
  })
  target: string | null;
  @ApiProperty({
    enum: targetSources,
    enumName: 'TargetSource',
    nullable: true,
    example: null,
    description:
      "What decides on the deployment: an entry in the credential's `deployments`, the catalogue's `deployment_name` of the model, or the credential's `deployment_name`. Null when the provider has no deployments, or no call would be made.",
  })
  target_from: TargetSource | null;
  @ApiProperty({ example: 'api.openai.com', nullable: true, type: String })
  host: string | null;
  @ApiProperty({ type: [String], example: ['/v1/chat/completions', '/v1/messages'] })
  endpoints: string[];
  @ApiProperty({ type: ExplainedCredentialResponse, nullable: true })
  credential: ExplainedCredentialResponse | null;
  @ApiProperty({
    type: ExplainedStagedResponse,
    nullable: true,
    description: 'A staged credential, which calls do not use until it is promoted.',
  })
  staged: ExplainedStagedResponse | null;
  @ApiProperty({
    format: 'date-time',
    nullable: true,
    type: String,
    description: 'Until when the previous credential can be restored; null when there is none.',
  })
  rollback_until: string | null;
  @ApiProperty()
  ready: boolean;
  @ApiProperty({ type: ExpectedProblemResponse, nullable: true, description: 'Null when ready.' })
  problem: ExpectedProblemResponse | null;
  @ApiProperty({
    type: [String],
    example: [],
    description: 'Warnings, which stop no call, such as two models that reach one deployment.',
  })
  warnings: string[];

  static of(explanation: ModelExplanation, publicUrl: string | undefined): ExplainedModelResponse {
    const { model, adapter, provider, upstreamModel, route, endpoints, credential, problem } = explanation;
    const { staged, previous } = explanation.inactiveSlots ?? {};
    return {
      name: model.name,
      kind: model.kind,
      adapter,
      provider: provider?.id ?? null,
      upstream_model: upstreamModel ?? null,
      target: route?.target ?? null,
      target_from: route?.targetFrom ?? null,
      host: route?.url.host ?? null,
      endpoints: endpoints.map((operation) => `/v1/${operation}`),
      credential: credential ? ExplainedCredentialResponse.of(credential) : null,
      staged: staged ? { masked_key: staged.mask, version: staged.version, status: staged.status } : null,
      rollback_until: previous?.rollbackUntil.toISOString() ?? null,
      ready: problem === undefined,
      problem: problem ? ExpectedProblemResponse.of(problem, publicUrl) : null,
      warnings: [...explanation.warnings],
    };
  }
}

export class ExplainedModelsResponse {
  @ApiProperty({ format: 'uuid', example: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10' })
  tenant_id: string;
  @ApiProperty({ enum: tenantStates, enumName: 'TenantState' })
  tenant_state: TenantState;
  @ApiProperty({ enum: modes, enumName: 'Mode' })
  mode: Mode;
  @ApiProperty({ type: [ExplainedModelResponse] })
  models: ExplainedModelResponse[];
}
