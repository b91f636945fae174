import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsOptional, ValidateBy, type ValidationOptions } from 'class-validator';
import type { CredentialField } from './provider';

/** Fields for providers that need nothing but a key. */
export class ApiKeyFields {
  @ApiProperty({
    type: String,
    description:
      'The key that the provider issued. Sealed on arrival and never shown again, only as `...xyz9`.',
    example: 'not-a-real-key-0000',
    minLength: 8,
    maxLength: 10240,
    writeOnly: true,
  })
  @Trimmed()
  @IsApiKey()
  api_key: string;
}

const endpointDescription =
  'http or https, without user name, query and fragment. It is the whole base URL, with its `/v1` where there is one: ' +
  'what OpenAI clients call `base_url`. Only the operation (`/chat/completions`) is appended.';

/** Fields for providers that may live at another address than their usual one. */
export class ApiKeyAndEndpointFields extends ApiKeyFields {
  @ApiPropertyOptional({
    type: String,
    description: `Base URL to use in place of the usual one: ${endpointDescription}`,
    example: 'https://llm.example.com/v1',
    maxLength: 2048,
    nullable: true,
  })
  @Trimmed()
  @IsOptional()
  @IsEndpoint()
  endpoint?: string | null;
}

/** Fields for servers that have no usual address. */
export class ApiKeyAndRequiredEndpointFields extends ApiKeyFields {
  @ApiProperty({
    type: String,
    description: `Base URL of the server: ${endpointDescription}`,
    example: 'https://llm.example.com/v1',
    maxLength: 2048,
  })
  @Trimmed()
  @IsEndpoint()
  endpoint: string;
}

export const apiKeyField: CredentialField = Object.freeze({ name: 'api_key', required: true });
export const optionalEndpointField: CredentialField = Object.freeze({ name: 'endpoint', required: false });
export const requiredEndpointField: CredentialField = Object.freeze({ name: 'endpoint', required: true });

/** Takes the blanks off both ends of a string (they come with copy and paste) and leaves every other type alone. */
export function Trimmed(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value));
}

/** A text that can be a provider's key and can travel in a header, and is not our own mask put back. */
export function IsApiKey(options?: ValidationOptions): PropertyDecorator {
  return refusing('isApiKey', faultOfApiKey, options);
}

/** An http or https base URL without user info, query and fragment. Whether it may be called is not decided here. */
export function IsEndpoint(options?: ValidationOptions): PropertyDecorator {
  return refusing('isEndpoint', faultOfEndpoint, options);
}

/**
 * A string that matches the whole of a pattern.
 * @param form the pattern in words, for the message
 */
export function IsWritten(pattern: RegExp, form: string): PropertyDecorator {
  return refusing('isWritten', (value) =>
    typeof value === 'string' && pattern.test(value) ? undefined : `must be ${form}`,
  );
}

/**
 * Turns a function that names the fault into a decorator. The message is the property and the fault: class-validator's
 * own messages can carry `$value`, and the value may be a key.
 */
export function refusing(
  name: string,
  faultOf: (value: unknown) => string | undefined,
  options?: ValidationOptions,
): PropertyDecorator {
  return ValidateBy(
    {
      name,
      validator: {
        validate: (value: unknown) => faultOf(value) === undefined,
        defaultMessage: (args) => `${args?.property} ${faultOf(args?.value) ?? 'is not valid'}`,
      },
    },
    options,
  );
}

function faultOfApiKey(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return 'is required';
  if (typeof value !== 'string') return 'must be a string';
  // Also as a Secret prints itself in a log, and as we write where one was removed.
  if (
    (value.startsWith('...') && Array.from(value).length <= 8) ||
    /^\[(secret|removed)\b.*\]$/.test(value)
  ) {
    return 'looks like the mask of a key; send the key itself';
  }
  if (value.length < 8) return 'must have at least 8 characters';
  if (value.length > 10240) return 'must have at most 10240 characters';
  if (!/^[\x20-\x7e]*$/.test(value)) return 'must have only printable ASCII characters';
  return undefined;
}

function faultOfEndpoint(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return 'is required';
  if (typeof value !== 'string') return 'must be a string';
  if (value.length > 2048) return 'must have at most 2048 characters';
  // The URL class removes tabs and line breaks, turns \ into / and accepts `https:host`; what is stored and shown
  // would then not be what is called.
  // Half a surrogate pair cannot be stored as JSON, and the URL class would put another character in its place.
  if (/[\s\p{Cc}\p{Cs}\\]/u.test(value)) return 'must not contain blanks, control characters or backslashes';
  const authority = /^https?:\/\/([^/?#]+)/i.exec(value)?.[1];
  if (authority === undefined || !URL.canParse(value)) return 'must be an http or https URL';
  if (authority.includes('@')) return 'must not contain a user name or password';
  if (value.includes('?')) return 'must not contain a query';
  if (value.includes('#')) return 'must not contain a fragment';
  return undefined;
}
