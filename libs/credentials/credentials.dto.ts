import { ApiProperty } from '@nestjs/swagger';
import { Secret } from '#crypto';
import { faultsOf, type FieldFault, Problem } from '#http';
import { findProvider, type Provider, providerRequirements, providers } from '#providers';
import { type CredentialFields, type CredentialStatus, type ListedCredential } from './credential';

/** The provider of a path segment, or a 422 that does not repeat it. */
export function validProvider(text: string): Provider {
  const provider = findProvider(text);
  if (provider) return provider;
  const known = providers.map(({ id }) => id).join(', ');
  const fault = { path: 'provider', message: `provider must be one of ${known}` };
  throw new Problem('validation_failed', { detail: 'There is no such provider.', errors: [fault] });
}

/** The body as credential fields, or a 422 that names every fault and what each provider needs. */
export function validFields(provider: Provider, body: unknown): CredentialFields {
  const input = withoutNulls(body);
  const [fields, faults] = faultsOf(provider.credentialClass, input);
  const errors = [...misspelt(provider, input), ...faults];
  if (errors.length > 0) throw notValid(provider, errors);
  const settings: Record<string, unknown> = {};
  for (const { name } of provider.fields) {
    const value = (fields as Record<string, unknown>)[name];
    if (name !== 'api_key' && value !== undefined && value !== null) settings[name] = value;
  }
  return { apiKey: new Secret((fields as { api_key: string }).api_key), settings };
}

/** What is wrong whoever the tenant is: no JSON object, or a field of a wrong type. Asked before the tenant is looked for. */
export function refuseWrongTypes(provider: Provider, body: unknown): void {
  const input = withoutNulls(body);
  const [fields, faults] = faultsOf(provider.credentialClass, input);
  const typed = faults.filter(({ path }) => {
    const value = (fields as Record<string, unknown>)[path];
    return path === '' || (value !== undefined && typeof value !== 'string');
  });
  if (typed.length > 0) throw notValid(provider, [...misspelt(provider, input), ...faults]);
}

function notValid(provider: Provider, errors: readonly FieldFault[]): Problem {
  return new Problem('credential_validation_failed', {
    detail: `The ${provider.id} credential is not valid; see errors.`,
    errors: errors.map(({ path, message }) => ({ path, message: `${provider.id}: ${message}` })),
    providerRequirements: providerRequirements(),
  });
}

function withoutNulls(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

/** Unknown fields are ignored, but one edit away from a known one is a slip that would lose a setting. */
function misspelt(provider: Provider, body: unknown): FieldFault[] {
  if (typeof body !== 'object' || body === null) return [];
  const known = provider.fields.map(({ name }) => name);
  return Object.keys(body)
    .filter((name) => !known.includes(name))
    .flatMap((name) => known.filter((field) => isOneEdit(name, field)))
    .map((field) => ({ path: field, message: `a field's name is one letter away from ${field}` }));
}

function isOneEdit(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const left = [a.slice(start, a.length - end), b.slice(start, b.length - end)] as const;
  const isSwap = left[0].length === 2 && left[0] === [...left[1]].reverse().join('');
  return isSwap || Math.max(left[0].length, left[1].length) <= 1;
}

export class SetCredentialAnswer {
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
}

export class ListedCredentialDto {
  @ApiProperty({ example: 'azure' })
  provider: string;
  @ApiProperty({ example: '...xyz9' })
  masked_key: string;
  @ApiProperty({ enum: ['encrypted', 'plaintext'] })
  encryption_status: 'encrypted' | 'plaintext';
  @ApiProperty({ format: 'date-time' })
  configured_at: string;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { endpoint: 'https://sundsvall.openai.azure.com', api_version: '2024-10-21' },
    description: 'The fields that are not secret.',
  })
  config: Readonly<Record<string, unknown>>;
  @ApiProperty({
    enum: ['plaintext', 'unreadable', 'tampered', 'ready'],
    description:
      'plaintext: stored unsealed and not used. unreadable: sealed under a key that is not loaded. tampered: changed outside Tenkey. ready: usable.',
  })
  status: CredentialStatus;
  @ApiProperty({ example: '3', description: 'Grows with every change; never reused.' })
  version: string;

  static of(credential: ListedCredential): ListedCredentialDto {
    return {
      provider: credential.provider,
      masked_key: credential.mask,
      encryption_status: credential.isEncrypted ? 'encrypted' : 'plaintext',
      configured_at: credential.configuredAt.toISOString(),
      config: credential.settings,
      status: credential.status,
      version: credential.version,
    };
  }
}

export class ListCredentialsAnswer {
  @ApiProperty({ type: [ListedCredentialDto] })
  credentials: ListedCredentialDto[];
}

export class RemoveCredentialAnswer {
  @ApiProperty({ format: 'uuid' })
  tenant_id: string;
  @ApiProperty({ example: 'openai' })
  provider: string;
  @ApiProperty({ example: 'The OpenAI (openai) credential is removed.' })
  message: string;
  @ApiProperty({ description: 'False when there was none.' })
  deleted: boolean;
}
