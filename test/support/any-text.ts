import fc from 'fast-check';

const firstSurrogate = 0xd800;
const surrogates = 0x800;
const character = fc
  .integer({ min: 0, max: 0x10ffff - surrogates })
  .map((index) => String.fromCodePoint(index < firstSurrogate ? index : index + surrogates));

/**
 * Texts of any code points, and sometimes those that fast-check knows to be dangerous. Its own unit `binary` makes a table of
 * all code points first, which takes a second in each spec file.
 */
export const anyText = (length: { readonly minLength?: number; readonly maxLength?: number } = {}) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.array(character, length).map((characters) => characters.join('')) },
    { weight: 1, arbitrary: fc.string(length) },
  );
