import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsString, Matches, MaxLength, ValidateBy } from 'class-validator';
import { removeKeyShapes } from '#crypto';

/** PostgreSQL's text cannot hold U+0000, and control characters do not belong in a name. */
const noControl = /^[^\p{Cc}\p{Cs}]*$/u;

/** The same for the OpenAPI document, in a form that other languages understand too. */
const noControlClass = '[^\\u0000-\\u001f\\u007f-\\u009f]*';

/** A text that a list is filtered by. */
export function IsSearchText(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ maxLength: 200, pattern: `^${noControlClass}$` }),
    Matches(noControl, { message: '$property must not contain control characters' }),
    MaxLength(200),
    IsString(),
  );
}

/**
 * A name appears in lists and stays in the audit, so it must not contain control characters or a key that was pasted by mistake.
 * @param options.each the field is a list of names
 * @param options.isGiven the platform or the catalogue chose the name, and the caller cannot choose another one for Tenkey: only
 *   a text that can hardly be anything else is then taken for a key
 */
export function IsName(options: { each?: boolean; isGiven?: boolean } = {}): PropertyDecorator {
  const { each, isGiven = false } = options;
  const message = '$property must not contain control characters or a key';
  const isName = (value: unknown) =>
    typeof value === 'string' &&
    noControl.test(value) &&
    !(isGiven ? isSurelyKey(value) : hasKeyShape(value));
  return applyDecorators(
    // Whitespace at both ends of a name may be a line break, because it is removed first.
    ...(each ? [] : [ApiProperty({ pattern: `^\\s*${noControlClass}\\s*$` })]),
    ValidateBy({ name: 'isName', validator: { validate: isName } }, { message, each }),
  );
}

function hasKeyShape(text: string): boolean {
  return removeKeyShapes(text) !== text;
}

/** False for a UUID without its hyphens, and for words after a provider's prefix, such as xai-grok-4-fast. */
function isSurelyKey(text: string): boolean {
  // The 32 digits are replaced and not removed: after a prefix they are the key.
  const rest = text.replace(/(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/gi, 'z'.repeat(32));
  return hasKeyShape(rest) && /[0-9a-z]{16}/i.test(rest);
}
