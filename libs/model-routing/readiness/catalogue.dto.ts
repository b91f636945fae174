import { basename } from 'node:path';
import { ApiProperty } from '@nestjs/swagger';
import { type AdapterName, adapterNames } from '#egress';
import { findingsOf } from '../catalogue/catalogue-check';
import { type Finding } from '../catalogue/catalogue-finding';
import { staleReason } from '../catalogue/catalogue-watch';
import { type Model, type ModelKind, modelKinds, providerOfModel } from '../catalogue/model';
import { type ModelCatalogue } from '../catalogue/model-catalogue';
import { servedBy } from './explain-model';

/** Bounds the response; `npx tenkey models check` prints all. */
const MAXIMUM_FINDINGS = 200;

const severities = ['fault', 'warning'] as const satisfies readonly Finding['severity'][];

export class CatalogueFindingResponse {
  @ApiProperty({
    enum: severities,
    enumName: 'FindingSeverity',
    description: 'A file with a fault does not come into force. A warning stops nothing.',
  })
  severity: Finding['severity'];
  @ApiProperty({
    example: 12,
    nullable: true,
    type: 'integer',
    description: 'Counts from 1; null when the file could not be read at all.',
  })
  line: number | null;
  @ApiProperty({ example: 'gpt-4o: unknown field hostng; did you mean hosting?' })
  reason: string;

  static of({ severity, line, reason }: Finding): CatalogueFindingResponse {
    return { severity, line: line ?? null, reason };
  }
}

const text = { nullable: true, type: String } as const;
const flag = { nullable: true, type: Boolean } as const;
const whole = { nullable: true, type: 'integer' } as const;

export class CatalogueModelResponse {
  @ApiProperty({ example: 'gpt-4o', description: 'The name by which clients call it.' })
  name: string;
  @ApiProperty({ ...text, example: 'GPT-4o', description: 'Its name for people.' })
  nickname: string | null;
  @ApiProperty({ enum: modelKinds, enumName: 'ModelKind' })
  kind: ModelKind;
  @ApiProperty({ enum: adapterNames, enumName: 'AdapterName' })
  adapter: AdapterName;
  @ApiProperty({ ...text, example: 'openai', description: 'Null when no provider serves the model.' })
  provider: string | null;
  @ApiProperty({ ...text, example: 'gpt-4o', description: "The provider's own name of the model." })
  upstream_model: string | null;
  @ApiProperty({ ...text, example: 'openai/gpt-4o', description: 'Null for a legacy model.' })
  litellm_model_name: string | null;
  @ApiProperty({ ...text, example: 'openai' })
  family: string | null;
  @ApiProperty({ ...text, example: null, description: 'The deployment that the catalogue gives the model.' })
  deployment_name: string | null;
  @ApiProperty({ ...text, example: null, description: 'The host in the `base_url` of a legacy model.' })
  host: string | null;
  @ApiProperty({ type: [String], example: ['/v1/chat/completions', '/v1/messages'] })
  endpoints: string[];
  @ApiProperty({ ...text, example: 'eu', description: 'Where it runs; a policy can restrict tenants to it.' })
  hosting: string | null;
  @ApiProperty({ ...text, example: 'OpenAI' })
  org: string | null;
  @ApiProperty({ ...text, example: 'A fast model for most tasks.' })
  description: string | null;
  @ApiProperty({ ...text, example: 'stable' })
  stability: string | null;
  @ApiProperty({ ...flag, example: false })
  is_deprecated: boolean | null;
  @ApiProperty({ ...flag, example: true })
  vision: boolean | null;
  @ApiProperty({ ...flag, example: false })
  reasoning: boolean | null;
  @ApiProperty({ ...flag, example: false })
  open_source: boolean | null;
  @ApiProperty({ ...whole, example: 128000 })
  token_limit: number | null;
  @ApiProperty({ ...whole, example: null })
  max_input: number | null;
  @ApiProperty({ ...whole, example: null })
  dimensions: number | null;

  static of(model: Model): CatalogueModelResponse {
    const { provider, upstreamModel } = providerOfModel(model) ?? {};
    const endpoints = provider ? servedBy(provider, model) : [];
    return {
      name: model.name,
      nickname: textOf(model.nickname),
      kind: model.kind,
      adapter: model.litellm_model_name ? 'litellm' : 'legacy',
      provider: provider?.id ?? null,
      upstream_model: upstreamModel ?? null,
      litellm_model_name: textOf(model.litellm_model_name),
      family: textOf(model.family),
      deployment_name: textOf(model.deployment_name),
      // Not the whole address, which may contain a password.
      host: model.base_url ? new URL(model.base_url).host : null,
      endpoints: endpoints.map((operation) => `/v1/${operation}`),
      hosting: textOf(model.hosting),
      org: textOf(model.org),
      description: textOf(model.description),
      stability: textOf(model.stability),
      is_deprecated: flagOf(model.is_deprecated),
      vision: flagOf(model.vision),
      reasoning: flagOf(model.reasoning),
      open_source: flagOf(model.open_source),
      token_limit: wholeOf(model.token_limit),
      max_input: wholeOf(model.max_input),
      dimensions: wholeOf(model.dimensions),
    };
  }
}

export class CatalogueResponse {
  @ApiProperty({
    enum: ['ok', 'stale'],
    enumName: 'CatalogueState',
    description: 'stale: the model file has faults, and the models of its last valid version are served.',
  })
  state: 'ok' | 'stale';
  @ApiProperty({
    ...text,
    example: null,
    description: 'Why it is stale: the first faults of the file, one in each line.',
  })
  reason: string | null;
  @ApiProperty({ example: 'ai_models.yml', description: 'The name of the file, without its folder.' })
  file: string;
  @ApiProperty({ format: 'date-time', description: 'Since when these models are in force.' })
  in_force_since: string;
  @ApiProperty({ example: 0, description: 'How many faults the file has that was read last.' })
  faults: number;
  @ApiProperty({ example: 1, description: 'How many warnings it has.' })
  warnings: number;
  @ApiProperty({
    type: [CatalogueFindingResponse],
    description: `The faults and warnings of the file that was read last, by line, as \`npx tenkey models check\` lists them; at most ${MAXIMUM_FINDINGS}.`,
  })
  findings: CatalogueFindingResponse[];
  @ApiProperty({
    type: [CatalogueModelResponse],
    description: 'The models in force, in the order of the file.',
  })
  models: CatalogueModelResponse[];

  static of(catalogue: ModelCatalogue): CatalogueResponse {
    const reason = staleReason(catalogue);
    const findings = findingsOf(catalogue);
    const faults = findings.filter(({ severity }) => severity === 'fault').length;
    return {
      state: reason === undefined ? 'ok' : 'stale',
      reason: reason ?? null,
      file: basename(catalogue.file),
      in_force_since: catalogue.since.toISOString(),
      faults,
      warnings: findings.length - faults,
      findings: findings.slice(0, MAXIMUM_FINDINGS).map((each) => CatalogueFindingResponse.of(each)),
      models: catalogue.all().map((model) => CatalogueModelResponse.of(model)),
    };
  }
}

// The catalogue keeps a value of another form in a field that Tenkey does not use, with a warning.
function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function flagOf(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

function wholeOf(value: unknown): number | null {
  return Number.isSafeInteger(value) ? (value as number) : null;
}
