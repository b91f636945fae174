import { Matches, ValidateBy } from 'class-validator';
import { removeKeyShapes } from '#crypto';

/** PostgreSQL's text cannot hold U+0000, and control characters have no place in a name. */
const noControl = /^[^\p{Cc}\p{Cs}]*$/u;

export function NoControl(): PropertyDecorator {
  return Matches(noControl, { message: '$property must not contain control characters' });
}

/** For class-transformer: a text without the blanks around it, anything else as it is. */
export const trimmed = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string' ? value.trim() : value;

/**
 * A name stands in lists, and in the audit for ever: no control characters, and no key that somebody pasted.
 * @param options.each of a list of names
 * @param options.isGiven it is the platform's or the catalogue's, and nobody can choose another for our sake: then only what
 *   is hardly anything else is taken for a key
 */
export function IsName(options: { each?: boolean; isGiven?: boolean } = {}): PropertyDecorator {
  const { each, isGiven = false } = options;
  const message = '$property must not contain control characters or a key';
  const isName = (value: unknown) =>
    typeof value === 'string' &&
    noControl.test(value) &&
    !(isGiven ? isSurelyKey(value) : hasKeyShape(value));
  return ValidateBy({ name: 'isName', validator: { validate: isName } }, { message, each });
}

function hasKeyShape(text: string): boolean {
  return removeKeyShapes(text) !== text;
}

/** Not a UUID without its hyphens, nor words that follow a provider's prefix, such as xai-grok-4-fast. */
function isSurelyKey(text: string): boolean {
  // Not taken out: behind a prefix it is the key.
  const rest = text.replace(/(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/gi, 'z'.repeat(32));
  return hasKeyShape(rest) && /[0-9a-z]{16}/i.test(rest);
}
