import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { removeKeyShapes } from '#crypto';
import { anyText } from '../../test/support/any-text';
import { issueKey, type KeyKind, parseKey, prefixOf } from './issued-key';

const kinds: KeyKind[] = ['tk', 'tks', 'tkc'];
const keys = fc.constantFrom(...kinds).map((kind) => ({ kind, ...issueKey(kind) }));

describe('a key that Tenkey issues', () => {
  it('has the documented form, is found by its id, and is compared by its hash', () => {
    fc.assert(
      fc.property(keys, ({ kind, id, text, hash }) => {
        const key = text.expose();
        expect(key).toMatch(/^tk[sc]?_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}$/);
        expect(key.startsWith(`${prefixOf(kind, id)}_`)).toBe(true);
        expect(hash).toBe(createHash('sha256').update(key).digest('hex'));
        expect(parseKey(kind, key)).toEqual({ id, hash });
      }),
    );
  });

  it('is never of the other kind', () => {
    for (const kind of kinds) {
      const text = issueKey(kind).text.expose();
      for (const other of kinds.filter((each) => each !== kind)) {
        expect(parseKey(other, text)).toBeUndefined();
        expect(parseKey(other, text.replace(`${kind}_`, `${other}_`))).toBeUndefined();
      }
    }
  });

  it('is distinguished from a mistyped one: another character, two swapped, one missing or too many', () => {
    const other = fc.constantFrom(...'09AZaz_- äx');
    fc.assert(
      fc.property(keys, fc.nat(63), other, ({ kind, text }, at, character) => {
        const key = text.expose();
        const typed = [
          key.slice(0, at) + character + key.slice(at + 1),
          key.slice(0, at) + key.charAt(at + 1) + key.charAt(at) + key.slice(at + 2),
          key.slice(0, at) + key.slice(at + 1),
          key.slice(0, at) + character + key.slice(at),
          key + character,
          key.slice(0, at),
        ];
        for (const each of typed.filter((text) => text !== key)) {
          expect(parseKey(kind, each)).toBeUndefined();
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is distinguished from any other text', () => {
    fc.assert(
      fc.property(anyText({ maxLength: 100 }), (text) => {
        for (const kind of kinds) expect(parseKey(kind, text)).toBeUndefined();
      }),
    );
    const spread = ['', 'tk_', `tk_${'0'.repeat(11)}_${'0'.repeat(49)}`, `${issueKey('tk').text.expose()}\n`];
    for (const text of spread) expect(parseKey('tk', text)).toBeUndefined();
  });

  it('is drawn from the whole of its alphabet, and never twice', () => {
    const seen = Array.from({ length: 400 }, () => issueKey('tk').text.expose());
    expect(new Set(seen).size).toBe(seen.length);
    for (const place of [30, 35, 50]) {
      expect(new Set(seen.map((key) => key.charAt(place))).size).toBeGreaterThan(55);
    }
  });

  it('shows its mask where it is printed, and is removed from a text as a key', () => {
    fc.assert(
      fc.property(keys, ({ text }) => {
        const key = text.expose();
        expect(String(text)).toBe(`[secret ...${key.slice(-4)}]`);
        for (const part of [key, key.slice(0, 40)]) {
          expect(removeKeyShapes(`before ${part} after`)).toBe('before [removed] after');
        }
      }),
    );
  });
});
