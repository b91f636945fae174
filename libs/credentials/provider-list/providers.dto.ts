import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  type CredentialField,
  type DeclarableKind,
  declarableKinds,
  describeFields,
  type FieldDescription,
  type Operation,
  operations,
  type Provider,
  serviceOf,
} from '#providers';
import { CredentialExtras } from '../api/credentials.dto';

const fieldTypes = ['text', 'map', 'time'] as const;

/** The fields of `CredentialExtras`, which every credential may have. */
const extraFields: readonly CredentialField[] = [
  { name: 'expires_at', label: 'Expires at', required: false },
];

export class ProviderFieldResponse {
  @ApiProperty({ example: 'endpoint', description: 'Its name in the body of a PUT.' })
  name: string;
  @ApiProperty({ example: 'Endpoint', description: 'Its name for people.' })
  label: string;
  @ApiProperty({
    enum: fieldTypes,
    enumName: 'CredentialFieldType',
    description: 'text: a string. map: an object of strings. time: a string with a day or a time.',
  })
  type: (typeof fieldTypes)[number];
  @ApiProperty({ description: 'A PUT without a required field is refused.' })
  required: boolean;
  @ApiProperty({ description: 'True for the key, which is sealed on arrival and never returned.' })
  secret: boolean;
  @ApiProperty({ example: 'Base URL that replaces the one in the model catalogue.' })
  description: string;
  @ApiProperty({
    example: 'must be 1 to 64 letters, digits, dots, hyphens or underscores',
    description: 'What a PUT accepts, as the rest of a sentence that begins with the name of the field.',
  })
  rule: string;
  @ApiProperty({
    anyOf: [{ type: 'string' }, { type: 'object', additionalProperties: { type: 'string' } }],
    example: 'https://llm.example.com/v1',
    description: 'A valid value; that of the key is no real key.',
  })
  example: unknown;
  @ApiPropertyOptional({ example: 8 })
  min_length?: number;
  @ApiPropertyOptional({ example: 2048 })
  max_length?: number;
  @ApiPropertyOptional({
    example: '^\\s*[Hh][Tt][Tt][Pp][Ss]?://',
    description:
      'A regular expression that every valid text, or every value of a map, matches. A text that matches may still be refused: `rule` says everything.',
  })
  pattern?: string;
  @ApiPropertyOptional({ example: 200, description: 'How many entries a map has at most.' })
  max_entries?: number;

  static of(field: FieldDescription): ProviderFieldResponse {
    const { minLength, maxLength, pattern, maxEntries } = field;
    return {
      name: field.name,
      label: field.label,
      type: typeOf(field),
      required: field.required,
      secret: field.isSecret,
      description: field.description,
      rule: field.rule,
      example: field.example,
      ...(minLength !== undefined && { min_length: minLength }),
      ...(maxLength !== undefined && { max_length: maxLength }),
      ...(pattern !== undefined && { pattern }),
      ...(maxEntries !== undefined && { max_entries: maxEntries }),
    };
  }
}

export class ProviderOperationResponse {
  @ApiProperty({
    enum: operations,
    enumName: 'Operation',
    example: 'chat/completions',
    description: 'Its route is `/v1/` and this name.',
  })
  operation: Operation;
  @ApiProperty({
    description:
      'False: the provider itself has this operation. True: Tenkey translates requests and responses.',
  })
  translated: boolean;
}

export class ProviderResponse {
  @ApiProperty({
    example: 'openai',
    description: 'The last part of the path of a credential, and the prefix of `litellm_model_name`.',
  })
  id: string;
  @ApiProperty({ example: 'OpenAI', description: 'Its name for people.' })
  label: string;
  @ApiProperty({
    enum: declarableKinds,
    enumName: 'ProviderKind',
    nullable: true,
    example: null,
    description: 'The kind of a provider that the model catalogue declares; null for one that is built in.',
  })
  kind: DeclarableKind | null;
  @ApiProperty({
    example: 'api.openai.com',
    nullable: true,
    type: String,
    description:
      "Where calls go if the credential has no endpoint: the host of the operator's base URL, or of the provider's own address. Null: there is neither, or each credential must have an endpoint.",
  })
  default_host: string | null;
  @ApiProperty({
    type: [ProviderFieldResponse],
    description: 'The fields of a credential, in the order in which people fill them in.',
  })
  fields: ProviderFieldResponse[];
  @ApiProperty({
    type: [ProviderOperationResponse],
    description: 'What its models can be asked for. A model serves those that fit its kind.',
  })
  operations: ProviderOperationResponse[];
  @ApiProperty({
    description: 'Whether Tenkey can ask the provider, at no cost, if it accepts a key.',
  })
  verifiable: boolean;

  /** @param endpoint where calls go if the credential has no endpoint */
  static of(provider: Provider, endpoint: string | undefined): ProviderResponse {
    const { id, label, kind, credentialClass, fields } = provider;
    return {
      id,
      label,
      kind: kind ?? null,
      default_host: hostOf(endpoint, fields),
      fields: [
        ...describeFields(credentialClass, fields),
        ...describeFields(CredentialExtras, extraFields),
      ].map((field) => ProviderFieldResponse.of(field)),
      operations: operations.flatMap((operation) => {
        const service = serviceOf(provider, operation);
        return service ? [{ operation, translated: service.translation !== undefined }] : [];
      }),
      verifiable: typeof provider.probe === 'function',
    };
  }
}

export class ProviderListResponse {
  @ApiProperty({
    type: [ProviderResponse],
    description: 'First those that are built in, then those that the model catalogue declares.',
  })
  providers: ProviderResponse[];
  @ApiProperty({
    example: 72,
    description:
      'For how many hours after its replacement a credential can be rolled back to: CREDENTIAL_ROLLBACK_HOURS. 0: it is not kept.',
  })
  rollback_hours: number;
}

/** Null also where every credential has its own endpoint: the operator's base URL is then for the global key alone. */
function hostOf(endpoint: string | undefined, fields: readonly CredentialField[]): string | null {
  const hasOwn = fields.some(({ name, required }) => name === 'endpoint' && required);
  return endpoint !== undefined && !hasOwn && URL.canParse(endpoint) ? new URL(endpoint).host : null;
}

function typeOf({ name, isMap = false }: FieldDescription): ProviderFieldResponse['type'] {
  if (isMap) return 'map';
  return extraFields.some((each) => each.name === name) ? 'time' : 'text';
}
