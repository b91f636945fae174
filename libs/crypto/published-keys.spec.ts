import { generateKey } from './fernet';
import { isPublishedKey } from './published-keys';

describe('published keys', () => {
  it.each(['QkSCr5Va', 'FNVdDyfq', 'yPIAaWTE'])(
    'recognises an example of Eneo by its first characters: %s',
    (prefix) => {
      expect(isPublishedKey(prefix + generateKey().slice(8))).toBe(true);
    },
  );

  it.each([
    ['the Fernet spec', 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4='],
    ['all zero', `${'A'.repeat(43)}=`],
    ['all ones', `${'_'.repeat(42)}8=`],
    ['one letter, repeated', Buffer.alloc(32, 'x').toString('base64')],
    ['counting bytes', 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='],
  ])('recognises %s', (_name, key) => {
    expect(isPublishedKey(key)).toBe(true);
  });

  it('accepts generated keys', () => {
    for (let round = 0; round < 200; round += 1) expect(isPublishedKey(generateKey())).toBe(false);
    expect(isPublishedKey('')).toBe(false);
  });
});
