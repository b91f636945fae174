import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsOptional, ValidateBy, type ValidationOptions } from 'class-validator';
import type { CredentialField } from './provider';

function ApiKeyField(minLength: number): PropertyDecorator {
  return applyDecorators(
    IsApiKey(minLength),
    Trimmed(),
    ApiProperty({
      type: String,
      description:
        'The key that the provider issued. It is encrypted on arrival. Responses show only its mask, such as `...xyz9`.',
      example: 'not-a-real-key-0000',
      minLength,
      maxLength: 10240,
      pattern: '^\\s*[ -~]*\\s*$',
      writeOnly: true,
    }),
  );
}

/** Fields of a provider that needs only a key. */
export class ApiKeyFields {
  @ApiKeyField(8)
  api_key: string;
}

/** Fields of a server of one's own, which often takes any key, such as `EMPTY`. */
export class ServerKeyFields {
  @ApiKeyField(1)
  api_key: string;
}

const endpointDescription =
  'http or https, without user name, query and fragment. It is the complete base URL, including `/v1` if the server has ' +
  'it: the `base_url` of OpenAI clients. Only the operation, such as `/chat/completions`, is appended.';

/** Fields of a provider that has a default address but may be called at another one. */
export class ApiKeyAndEndpointFields extends ApiKeyFields {
  @ApiPropertyOptional({
    type: String,
    description: `Base URL that replaces the provider's default one: ${endpointDescription}`,
    example: 'https://llm.example.com/v1',
    nullable: true,
  })
  @Trimmed()
  @IsOptional()
  @IsEndpoint()
  endpoint?: string | null;
}

/** The endpoint of a provider for which the catalogue declares one. */
export class OptionalEndpoint {
  @ApiPropertyOptional({
    type: String,
    description: 'Base URL that replaces the one in the model catalogue.',
    example: 'https://llm.example.com/v1',
    maxLength: 2048,
    nullable: true,
  })
  @Trimmed()
  @IsOptional()
  @IsEndpoint()
  endpoint?: string | null;
}

/** Fields of a server that has no default address. */
export class ServerKeyAndEndpointFields extends ServerKeyFields {
  @ApiProperty({
    type: String,
    description: `Base URL of the server: ${endpointDescription}`,
    example: 'https://llm.example.com/v1',
  })
  @Trimmed()
  @IsEndpoint()
  endpoint: string;
}

export const apiKeyField: CredentialField = Object.freeze({
  name: 'api_key',
  label: 'API key',
  required: true,
});
export const requiredEndpointField: CredentialField = Object.freeze({
  name: 'endpoint',
  label: 'Endpoint',
  required: true,
});
export const optionalEndpointField: CredentialField = Object.freeze({
  ...requiredEndpointField,
  required: false,
});

/** Removes the whitespace that copying adds to both ends of a string. Other types are not changed. */
export function Trimmed(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value));
}

/** A string that can be a key and be sent in a header, and is not the mask of a key. */
export function IsApiKey(minLength: number): PropertyDecorator {
  return HasNoFault('isApiKey', (value) => faultOfApiKey(value, minLength), {
    rule: `must be the key alone, without "Bearer", quotes or a name before it: ${minLength} to 10240 printable ASCII characters`,
  });
}

/** An http or https base URL without user name, query and fragment. It does not decide whether the URL may be called. */
export function IsEndpoint(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ maxLength: 2048, pattern: '^\\s*[Hh][Tt][Tt][Pp][Ss]?://' }),
    HasNoFault('isEndpoint', faultOfEndpoint, {
      rule: 'must be an http or https URL of at most 2048 characters, without user name, query and fragment',
    }),
  );
}

/**
 * A trimmed string that matches a pattern.
 * @param pattern from the beginning of the string to its end
 * @param form the pattern in words, for the message
 */
export function MatchesForm(pattern: RegExp, form: string): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ pattern: `^\\s*${pattern.source.slice(1, -1)}\\s*$` }),
    HasNoFault(
      'matchesForm',
      (value) => (typeof value === 'string' && pattern.test(value) ? undefined : `must be ${form}`),
      { rule: `must be ${form}` },
    ),
  );
}

/**
 * A value in which `faultOf` finds no fault. The message consists of the property and the fault, never of the value,
 * because the value may be a key.
 * @param name name of the rule in class-validator
 * @param faultOf what is wrong with the value, as the rest of a sentence that begins with the property's name
 * @param options.rule the whole rule, as the rest of such a sentence, for `describeFields`
 */
export function HasNoFault(
  name: string,
  faultOf: (value: unknown) => string | undefined,
  { rule, ...options }: ValidationOptions & { readonly rule?: string } = {},
): PropertyDecorator {
  return ValidateBy(
    {
      name,
      validator: {
        validate: (value: unknown) => faultOf(value) === undefined,
        defaultMessage: (args) => `${args?.property} ${faultOf(args?.value) ?? 'is not valid'}`,
      },
    },
    { ...options, context: { rule } },
  );
}

/** Our mask, what our logs print in place of a key, and what consoles show of one, such as `sk-...xyz9` and `sk-ab****yz`. */
const masks = [/^\.{3}.{0,5}$/u, /^\[(secret|removed)\b.*\]$/, /[^.]\.{3}[^.]|\*{4}/];

/** `$OPENAI_API_KEY`, `${OPENAI_API_KEY}`, `$(command)`, `%OPENAI_API_KEY%`, `{{ openai_api_key }}`, `<your key>`. */
const placeholder = /^(\$\{?[A-Z][A-Z0-9_]*\}?|\$\{.*\}|\$\(.*\)|%[A-Z][A-Z0-9_]*%|\{\{.*\}\}|<.*>)$/;

/** A line of a curl command or of a file of variables: `Authorization: Bearer`, `x-api-key:`, `export OPENAI_API_KEY=`. */
const nameBefore = /^((export\s+)?[\w-]*(api[-_]?key|token)\s*[:=]\s*|authorization\s*:\s*)[^\s=]/i;

function faultOfApiKey(value: unknown, minLength: number): string | undefined {
  if (value === undefined || value === null || value === '') return 'is required';
  if (typeof value !== 'string') return 'must be a string';
  if (masks.some((mask) => mask.test(value))) return 'looks like the mask of a key; send the key itself';
  if (placeholder.test(value)) {
    return 'is a placeholder or a variable without its value; a shell replaces variables only inside double quotes';
  }
  if (/^bearer\s/i.test(value)) return 'must not begin with "Bearer"; send the key alone';
  if (nameBefore.test(value))
    return 'must not begin with the name of a header or a variable; send the key alone';
  if (/^['"`]|['"`]$/.test(value)) return 'must not be in quotes';
  if (value.length < minLength) return `must have at least ${minLength} characters`;
  if (value.length > 10240) return 'must have at most 10240 characters';
  if (/[\p{Cc}\p{Cf}\u2028\u2029]|(?! )\p{Zs}/u.test(value))
    return 'has an invisible character inside; copy the key again, or type it';
  if (!/^[\x20-\x7e]*$/.test(value)) return 'must have only printable ASCII characters';
  return undefined;
}

/** What is wrong with a base URL, as the rest of a sentence; undefined if nothing is. */
export function faultOfEndpoint(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return 'is required';
  if (typeof value !== 'string') return 'must be a string';
  if (value.length > 2048) return 'must have at most 2048 characters';
  // The URL class removes tabs and line breaks, turns \ into / and replaces half a surrogate pair, so the stored endpoint
  // would differ from the address that is called.
  if (/[\s\p{Cc}\p{Cs}\\]/u.test(value))
    return 'must not contain whitespace, control characters or backslashes';
  // The URL class would also accept `https:host`.
  const authority = /^https?:\/\/([^/?#]+)/i.exec(value)?.[1];
  if (authority === undefined || !URL.canParse(value)) return 'must be an http or https URL';
  if (authority.includes('@')) return 'must not contain a user name or password';
  if (value.includes('?')) return 'must not contain a query';
  if (value.includes('#')) return 'must not contain a fragment';
  return undefined;
}
