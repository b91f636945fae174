import 'reflect-metadata';
import { getMetadataStorage } from 'class-validator';
import type { CredentialField } from './provider';

/** Under this name @ApiProperty keeps what it is given. Nest has no function that returns it. */
const documented = 'swagger/apiModelProperties';

/** What @ApiProperty says about a field of a credential. */
interface Documented {
  readonly description?: string;
  readonly example?: unknown;
  readonly writeOnly?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly maxProperties?: number;
  readonly additionalProperties?: { readonly pattern?: string };
}

/** What a form needs to know about one field of a credential. */
export interface FieldDescription extends CredentialField {
  /** True for the key, which is sealed and never returned. */
  readonly isSecret: boolean;
  readonly description: string;
  readonly example: unknown;
  /** What a value must be, as the rest of a sentence that begins with the name of the field. */
  readonly rule: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  /** A regular expression that every valid text matches. For a map, it is that of the values. */
  readonly pattern?: string;
  /** How many entries a map has at most. */
  readonly maxEntries?: number;
}

/**
 * Describes the fields of a credential by the decorators that validate them, so that what a form says and what a PUT accepts cannot
 * differ.
 * @param type the class with the decorators
 * @throws Error when a field lacks a description or a rule
 */
export function describeFields(
  type: new () => object,
  fields: readonly CredentialField[],
): FieldDescription[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  return fields.map((field) => {
    const found = Reflect.getMetadata(documented, type.prototype as object, field.name) as
      Documented | undefined;
    const rule = rules
      .filter(({ propertyName }) => propertyName === field.name)
      .map(({ context }) => (context as { rule?: string } | undefined)?.rule)
      .find((each) => each !== undefined);
    if (found?.description === undefined || rule === undefined) {
      throw new Error(`the field ${field.name} of ${type.name} has no description or no rule`);
    }
    const { minLength, maxLength, maxProperties: maxEntries } = found;
    const pattern = field.isMap === true ? found.additionalProperties?.pattern : found.pattern;
    return {
      ...field,
      isSecret: found.writeOnly === true,
      description: found.description,
      example: found.example,
      rule,
      ...(minLength !== undefined && { minLength }),
      ...(maxLength !== undefined && { maxLength }),
      ...(pattern !== undefined && { pattern }),
      ...(maxEntries !== undefined && { maxEntries }),
    };
  });
}
