import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { removeKeyShapes, Secret } from '#crypto';
import { checkedFields, IsTime, isTypoOf, Problem } from '#http';
import { type ProbeOutcome, probeOutcomes } from '#egress';
import {
  contradictingFields,
  cutEndpoint,
  fixedProviders,
  type Provider,
  type ProviderRegistry,
} from '#providers';
import { type CredentialFields, type CredentialSettings, type Verification } from '../credential';

/** The provider of a path segment. @throws Problem that does not repeat it */
export function validProvider(providers: ProviderRegistry, text: string): Provider {
  const provider = providers.find(text);
  if (provider) return provider;
  const known = providers.all.map(({ id }) => id).join(', ');
  const fault = { path: 'provider', message: `provider must be one of ${known}` };
  throw new Problem('validation_failed', {
    detail: 'There is no such provider.',
    hint: 'The model catalogue, ai_models.yml, can declare others under `providers`.',
    errors: [fault],
  });
}

/** Fields that a credential of every provider may have. */
export class CredentialExtras {
  @ApiPropertyOptional({
    type: String,
    example: '2030-06-30',
    nullable: true,
    description:
      'When the key expires, according to the provider: a date (meaning its start, in UTC) or a time with its zone. The list and the readiness report warn 30, 7 and 1 days before. Absent or null: not known. An expired key is still used; only the provider decides whether it works.',
  })
  @IsOptional()
  @IsTime('day or time in ms')
  expires_at?: string | null;
}

/** A valid body, and what the response says about it. */
export interface ValidFields {
  readonly fields: CredentialFields;
  /** How the stored fields differ from those of the body; absent: they are the same. */
  readonly note?: string;
  /** The names of fields that no provider has; they have no effect. */
  readonly ignored: readonly string[];
}

/** The body as credential fields. @throws Problem that names every fault and what each provider needs */
export function validFields(providers: ProviderRegistry, provider: Provider, body: CheckedBody): ValidFields {
  const { checked, misspelt, faults, note, ignored } = body;
  const errors = [...misspelt, ...faults];
  if (errors.length > 0) throw notValid(providers, provider, errors);
  const apiKey = new Secret((checked[0] as { api_key: string }).api_key);
  return { fields: { apiKey, ...settingsOf(provider, body) }, note, ignored };
}

/** What a body without faults says about everything but the key. */
export function settingsOf(
  provider: Provider,
  { checked: [fields, { expires_at: expiresAt }] }: CheckedBody,
): CredentialSettings {
  const settings: Record<string, unknown> = {};
  for (const { name } of provider.fields) {
    const value = (fields as Record<string, unknown>)[name];
    if (name !== 'api_key' && value !== undefined && value !== null) settings[name] = value;
  }
  return { settings, expiresAt: typeof expiresAt === 'string' ? new Date(expiresAt) : null };
}

/**
 * Refuses what is wrong for every tenant, before the tenant is looked up: a body that is not a JSON object, or a field of a
 * wrong type.
 */
export function refuseWrongTypes(providers: ProviderRegistry, provider: Provider, body: CheckedBody): void {
  const { checked, misspelt, faults } = body;
  const hasWrongType = faults.some(({ path }) => {
    const value = (checked[0] as Record<string, unknown>)[path];
    return path === '' || (value !== undefined && typeof value !== 'string');
  });
  if (hasWrongType) throw notValid(providers, provider, [...misspelt, ...faults]);
}

export type CheckedBody = ReturnType<typeof checkedBody>;

/** Finds the faults of a body, which `refuseWrongTypes` and `validFields` report. */
export function checkedBody(provider: Provider, body: unknown) {
  const given = withoutNulls(body);
  const { input, contradicting, note } = withBaseUrl(provider, given);
  const [checked, misspelt, faults, unknown] = checkedFields<[object, CredentialExtras]>(
    input,
    provider.credentialClass,
    CredentialExtras,
  );
  const contradictions = contradicting.map((field) => ({
    path: field,
    message: `${field} differs from what the URL in endpoint says`,
  }));
  const foreign = foreignFields(provider, unknown);
  return {
    checked,
    misspelt: [...misspelt, ...foreign],
    faults: [...faults, ...contradictions],
    note,
    // A typo and a foreign field refuse the body, so what is left has no meaning to any provider.
    ignored: unknown.map(shownName),
  };
}

/** A field of another provider would have no effect, although it means something. */
function foreignFields({ id, fields }: Provider, unknown: readonly string[]) {
  const own = fields.map(({ name }) => name);
  return fieldNames
    .filter((field) => !own.includes(field) && unknown.some((name) => isTypoOf(field, name)))
    .map((field) => ({ path: field, message: `${id} has no ${field}` }));
}

/** The fields of all providers. A declared one has those of its kind. */
const fieldNames = [...new Set(fixedProviders.flatMap(({ fields }) => fields.map(({ name }) => name)))];

/** A name as the client sent it, unless it is something else than a name, such as a key in the wrong place. */
function shownName(name: string): string {
  const isName = /^[A-Za-z][A-Za-z0-9_-]{0,39}$/.test(name) && removeKeyShapes(name) === name;
  return isName ? name : '(not a name)';
}

/** A body whose endpoint is the URL of a request gets the base URL, and the required fields that the URL says and it leaves out. */
function withBaseUrl(
  provider: Provider,
  body: unknown,
): { input: unknown; contradicting: readonly string[]; note?: string } {
  const given = body as Readonly<Record<string, unknown>> | null | undefined;
  const endpoint = given?.endpoint;
  const hasEndpoint = provider.fields.some(({ name }) => name === 'endpoint');
  const pasted =
    hasEndpoint && typeof endpoint === 'string' ? cutEndpoint(endpoint.trim(), provider) : undefined;
  if (!pasted) return { input: body, contradicting: [] };
  const taken = Object.keys(pasted.fields).filter((field) => given?.[field] === undefined);
  const alsoTaken = taken.length > 0 ? `, and its ${taken.join(' and ')} used` : '';
  return {
    input: { ...pasted.fields, ...given, endpoint: pasted.endpoint },
    contradicting: contradictingFields(pasted, given ?? {}),
    note: `The endpoint was cut to its base URL${alsoTaken}.`,
  };
}

function notValid(
  providers: ProviderRegistry,
  provider: Provider,
  errors: readonly { path: string; message: string }[],
): Problem {
  return new Problem('credential_validation_failed', {
    detail: `The ${provider.id} credential is not valid; see errors.`,
    errors: errors.map(({ path, message }) => ({
      path,
      message: message.startsWith(`${provider.id} `) ? message : `${provider.id}: ${message}`,
    })),
    providerRequirements: providers.requirements(),
  });
}

function withoutNulls(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

export class VerificationResponse {
  @ApiProperty({
    enum: probeOutcomes,
    enumName: 'VerificationOutcome',
    example: 'accepted',
    description:
      "accepted: calls will work. rejected: the provider does not accept the key. forbidden: the provider knows the key, but does not permit this request. quota: the key's limit or balance is used up. wrong_host: the endpoint is not the address of the provider's API. network_rules: the provider's network rules do not admit this server. unreachable: there was no response. unknown: the response says nothing about the key.",
  })
  outcome: ProbeOutcome;
  @ApiProperty({ example: 184 })
  latency_ms: number;
  @ApiProperty({ format: 'date-time' })
  verified_at: string;

  static of({ outcome, latencyMs, verifiedAt }: Verification): VerificationResponse {
    return { outcome, latency_ms: latencyMs, verified_at: verifiedAt.toISOString() };
  }
}

export class SetCredentialResponse {
  @ApiProperty({ format: 'uuid', example: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10' })
  tenant_id: string;
  @ApiProperty({ example: 'openai' })
  provider: string;
  @ApiProperty({
    example: '...xyz9',
    description: 'The last four characters; the key itself is never shown again.',
  })
  masked_key: string;
  @ApiProperty({ example: 'The OpenAI (openai) credential is set.' })
  message: string;
  @ApiProperty({ format: 'date-time' })
  set_at: string;
  @ApiPropertyOptional({ type: VerificationResponse, description: 'With `verify=true`.' })
  verification?: VerificationResponse;
  @ApiPropertyOptional({
    type: [String],
    example: ['comment'],
    description: 'Names of fields that no provider has and that had no effect. Absent: none.',
  })
  ignored_fields?: string[];
  @ApiPropertyOptional({
    enum: [true],
    description: 'With `stage=true`: it is staged, and calls do not use it.',
  })
  staged?: true;
  @ApiPropertyOptional({ example: '3', description: 'With `stage=true`: the version to promote.' })
  version?: string;
}

export class VerifyCredentialResponse extends VerificationResponse {
  @ApiProperty({ format: 'uuid', example: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10' })
  tenant_id: string;
  @ApiProperty({ example: 'openai' })
  provider: string;
  @ApiProperty({ example: '...xyz9' })
  masked_key: string;
  @ApiProperty({ example: '3', description: 'The version that was verified.' })
  version: string;
  @ApiProperty({ example: 'OpenAI at api.openai.com responded with status 200: it accepts the key.' })
  message: string;
}

export class RemoveCredentialResponse {
  @ApiProperty({ format: 'uuid' })
  tenant_id: string;
  @ApiProperty({ example: 'openai' })
  provider: string;
  @ApiProperty({ example: 'The OpenAI (openai) credential is removed.' })
  message: string;
  @ApiProperty({ description: 'False if there was nothing to delete.' })
  deleted: boolean;
}
