import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsOptional,
  IsString,
  Length,
  Matches,
  MaxLength,
  ValidateBy,
  ValidateIf,
} from 'class-validator';
import { faultOfTenantRules } from '#egress';
import { IsName } from '#http';
import { Trimmed } from '#providers';
import { tenantStates } from './tenant.entity';

// One address: nothing in it can be read as a second address or as a header. class-validator's IsEmail throws on half a
// surrogate pair.
const emailAddress = /^[^\s@,;:<>"\p{Cc}\p{Cs}]+@[^\s@,;:<>"\p{Cc}\p{Cs}]+$/u;
export const displayNameProperty = { example: 'Sundsvalls kommun', nullable: true, type: String };
export const contactProperty = {
  example: 'it-drift@sundsvall.example',
  nullable: true,
  type: String,
  description:
    "Where to send alerts about this tenant's credentials: a shared mailbox, not a person's. Tenkey sends no mail; the address is in the warnings of the readiness report and in the metrics.",
};

/** A list of different texts, at most a hundred. @param rules of each text; the last one comes first */
function ListField(property: object, ...rules: PropertyDecorator[]): PropertyDecorator {
  return applyDecorators(
    ...rules,
    IsString({ each: true }),
    ArrayUnique(),
    ArrayMaxSize(100),
    IsArray(),
    IsOptional(),
    ApiPropertyOptional({ ...property, maxItems: 100, uniqueItems: true }),
  );
}

// The decorators of one field each. They apply in the order of these lists, so the last rule of a field comes first.

export const IsTenantName = applyDecorators(
  IsName({ isGiven: true }),
  Length(1, 200),
  IsString(),
  Trimmed(),
  ApiProperty({ minLength: 1, maxLength: 200 }),
);

export const DisplayNameField = applyDecorators(
  IsName(),
  MaxLength(500),
  IsString(),
  IsOptional(),
  ApiPropertyOptional({ ...displayNameProperty, maxLength: 500 }),
);

export const ContactField = applyDecorators(
  Matches(emailAddress, { message: '$property must be one e-mail address' }),
  MaxLength(254),
  Trimmed(),
  IsOptional(),
  ApiPropertyOptional({
    ...contactProperty,
    maxLength: 254,
    pattern: '^\\s*[^\\s@,;:<>"]+@[^\\s@,;:<>"]+\\s*$',
  }),
);

export const expectedProvidersProperty = {
  type: 'array',
  items: { type: 'string' },
  nullable: true,
  example: ['openai', 'azure'],
} as const;

export const ExpectedProvidersField = ListField(
  {
    ...expectedProvidersProperty,
    description:
      'The providers that the tenant should have a credential for. The readiness report names the missing ones. Null: the providers that it has a credential for.',
  },
  MaxLength(40, { each: true }),
);

export const allowedHostingProperty = {
  type: 'array',
  items: { type: 'string', minLength: 1, maxLength: 100 },
  nullable: true,
  example: ['eu', 'swe'],
  description:
    'The values of `hosting` in ai_models.yml that a model may have to be called for the tenant, written as there. A model without `hosting` is then refused. Null: any.',
} as const;
export const allowedProvidersProperty = {
  ...expectedProvidersProperty,
  description: 'The providers that may be called for the tenant. Null: any.',
} as const;
export const egressAllowProperty = {
  type: 'array',
  items: { type: 'string' },
  nullable: true,
  example: ['10.20.0.0/16:8000', 'vllm.internal:*'],
  description:
    "Private addresses that the endpoints of the tenant's credentials may have although `EGRESS_PRIVATE=deny` refuses them: `address:port`, `address/bits:port`, `[IPv6 address]:port` or `name:port`, where port may be `*`. Other addresses need `EGRESS_ALLOW`.",
} as const;

export const AllowedHostingField = ListField(
  allowedHostingProperty,
  IsName({ each: true, isGiven: true }),
  Length(1, 100, { each: true }),
);

export const AllowedProvidersField = ListField(allowedProvidersProperty, MaxLength(40, { each: true }));

const faultOfRules = (value: unknown) =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')
    ? faultOfTenantRules(value)
    : undefined;

export const EgressAllowField = ListField(
  egressAllowProperty,
  ValidateBy({
    name: 'isTenantRules',
    validator: {
      validate: (value) => faultOfRules(value) === undefined,
      defaultMessage: (args) => `$property ${faultOfRules(args?.value)}`,
    },
  }),
  MaxLength(300, { each: true }),
);

/** Null is a value, which these fields cannot have, and not the same as absent. */
export const IsAbsentOr = ValidateIf((_, value) => value !== undefined);
export const IsOptionalState = applyDecorators(IsIn(tenantStates), IsAbsentOr);
