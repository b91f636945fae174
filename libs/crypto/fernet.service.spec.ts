import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { inspect } from 'node:util';
import { Test } from '@nestjs/testing';
import { cpuTimeMs } from '../../test/support/cpu-time';
import { CryptoModule } from './crypto.module';
import { decrypt, encrypt, generateKey, InvalidKey, InvalidToken } from './fernet';
import { FernetService, KeyNotLoaded, NoCurrentKey, NotSealed } from './fernet.service';
import { Secret } from './secret';

const oldKey = generateKey();
const newKey = generateKey();
const before = new FernetService({ current: new Secret(oldKey), previous: [] });
const after = new FernetService({ current: new Secret(newKey), previous: [new Secret(oldKey)] });
const empty = new FernetService({ previous: [] });
const idOf = (key: string) =>
  createHash('sha256')
    .update('tenkey key id')
    .update(Buffer.from(key, 'base64url'))
    .digest('hex')
    .slice(0, 12);

describe('the key ring', () => {
  it('identifies each key by a fingerprint, the current one first', () => {
    expect(after.currentKeyId).toBe(idOf(newKey));
    expect(after.keyIds()).toEqual([idOf(newKey), idOf(oldKey)]);
    expect(after.hasKey(idOf(oldKey))).toBe(true);
    expect(before.hasKey(idOf(newKey))).toBe(false);
  });

  it('seals with the current key and opens with any', () => {
    const old = before.encrypt(new Secret('sk-old'));
    const fresh = after.encrypt(new Secret('sk-new'));
    expect([old.encryptionKeyId, fresh.encryptionKeyId]).toEqual([idOf(oldKey), idOf(newKey)]);
    expect(after.decrypt(old.sealed, old.encryptionKeyId).expose()).toBe('sk-old');
    expect(after.decrypt(fresh.sealed, fresh.encryptionKeyId).expose()).toBe('sk-new');
  });

  it('opens and does not seal when it has no current key', () => {
    const reader = new FernetService({ previous: [new Secret(oldKey)] });
    const { sealed, encryptionKeyId } = before.encrypt(new Secret('sk-old'));
    expect(reader.decrypt(sealed, encryptionKeyId).expose()).toBe('sk-old');
    expect(reader.currentKeyId).toBeUndefined();
    expect(() => reader.encrypt(new Secret('x'))).toThrow(NoCurrentKey);
    expect([empty.currentKeyId, empty.keyIds()]).toEqual([undefined, []]);
  });

  it('counts a key that is listed twice once', () => {
    const ring = { current: new Secret(oldKey), previous: [new Secret(oldKey), new Secret(newKey)] };
    expect(new FernetService(ring).keyIds()).toEqual([idOf(oldKey), idOf(newKey)]);
  });

  it('refuses a malformed key, without repeating it', () => {
    expect(() => new FernetService({ current: new Secret('not-a-key'), previous: [] })).toThrow(InvalidKey);
    expect(() => new FernetService({ previous: [new Secret(` ${oldKey}`)] })).toThrow(InvalidKey);
    expect(new InvalidKey().message).not.toContain('not-a-key');
  });

  it('is not shown by inspecting or serialising the service', () => {
    after.mac(idOf(newKey), 'row', []);
    const text = inspect(after, { depth: null, showHidden: true }) + JSON.stringify(after);
    expect(text).not.toContain(newKey.slice(0, 20));
    expect(text).not.toContain(oldKey.slice(0, 20));
  });

  it('reaches every module through CryptoModule', async () => {
    const ring = { current: new Secret(newKey), previous: [] };
    const app = await Test.createTestingModule({ imports: [CryptoModule.register(ring)] }).compile();
    expect(app.get(FernetService).currentKeyId).toBe(idOf(newKey));
    await app.close();
  });
});

describe('sealed text', () => {
  const encryptionKeyId = idOf(newKey);

  it('is the prefix and a plain Fernet token', () => {
    const { sealed } = after.encrypt(new Secret('åäö-密钥🔑'));
    expect(sealed).toMatch(/^enc:fernet:v1:gAAAAA[\w-]+={0,2}$/);
    expect(decrypt(sealed.slice('enc:fernet:v1:'.length), newKey).toString('utf8')).toBe('åäö-密钥🔑');
    expect(after.decrypt(sealed, encryptionKeyId).expose()).toBe('åäö-密钥🔑');
  });

  it.each(['', '\uFEFFkey', 'a\0b', 'x'.repeat(10_000)])('opens to exactly what was sealed (%#)', (text) => {
    const { sealed } = after.encrypt(new Secret(text));
    expect(after.decrypt(sealed, encryptionKeyId).expose()).toBe(text);
  });

  it('opens without a password KDF, since the key is random: a thousand times in a second', () => {
    const { sealed, encryptionKeyId } = after.encrypt(new Secret('sk-of-each-call'));
    const started = cpuTimeMs();
    // A KDF takes more than a second for the first few already, so the test need not wait for all of them.
    for (let opened = 0; opened < 1000 && cpuTimeMs() - started < 1000; opened += 1) {
      const restarted = new FernetService({ current: new Secret(newKey), previous: [] });
      expect(restarted.decrypt(sealed, encryptionKeyId).expose()).toBe('sk-of-each-call');
    }
    expect(cpuTimeMs() - started).toBeLessThan(1000);
  });

  it('is distinguished from plaintext by its prefix', () => {
    expect(after.isSealed(after.encrypt(new Secret('x')).sealed)).toBe(true);
    for (const text of ['', 'sk-plain', ' enc:fernet:v1:x', 'ENC:fernet:v1:x', 'enc:fernet:v2:x']) {
      expect(after.isSealed(text)).toBe(false);
    }
  });

  it('is refused when it is plaintext or a bare token', () => {
    for (const text of ['', 'sk-plain', encrypt('x', newKey)]) {
      expect(() => after.decrypt(text, encryptionKeyId)).toThrow(NotSealed);
    }
  });

  it('is refused when its encryption key is not loaded, and the error names the key id', () => {
    const { sealed } = after.encrypt(new Secret('x'));
    for (const unknown of ['000000000000', '', '__proto__']) {
      expect(() => after.decrypt(sealed, unknown)).toThrow(KeyNotLoaded);
      expect(() => after.decrypt(sealed, unknown)).toThrow(
        expect.objectContaining({ encryptionKeyId: unknown }),
      );
    }
  });

  it('is refused under the other key of the ring, when it was changed, and when it does not contain text', () => {
    const { sealed } = after.encrypt(new Secret('x'));
    expect(() => after.decrypt(sealed, idOf(oldKey))).toThrow(InvalidToken);
    expect(() => after.decrypt(`${sealed}\n`, encryptionKeyId)).toThrow(InvalidToken);
    expect(() => after.decrypt('enc:fernet:v1:', encryptionKeyId)).toThrow(InvalidToken);
    const bytes = encrypt(Buffer.from([0xff, 0xfe]), newKey);
    expect(() => after.decrypt(`enc:fernet:v1:${bytes}`, encryptionKeyId)).toThrow(InvalidToken);
  });

  it('is never made of text that would not be restored exactly', () => {
    expect(() => after.encrypt(new Secret('half \ud83d'))).toThrow(TypeError);
  });
});

describe('the mac', () => {
  const encryptionKeyId = idOf(newKey);
  const mac = (...parts: string[]) => after.mac(encryptionKeyId, 'row', parts);

  it('is HMAC-SHA256 under HKDF-SHA256 over length-prefixed UTF-8', () => {
    const derived = Buffer.from(hkdfSync('sha256', Buffer.from(newKey, 'base64url'), '', 'row', 32));
    const message = Buffer.from('\0\0\0\0\0\0\0\x02å\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01b', 'utf8');
    expect(mac('å', '', 'b')).toBe(createHmac('sha256', derived).update(message).digest('base64url'));
  });

  it('differs for every way of dividing the same text', () => {
    const macs = [
      mac('ab', 'c'),
      mac('a', 'bc'),
      mac('abc'),
      mac('abc', ''),
      mac('', 'abc'),
      mac('a', 'b', 'c'),
      mac(),
      mac(''),
      mac('', ''),
      mac('a\0\0\0\0\0\0\0\x01b'),
      mac('a', 'b'),
      mac('b', 'a'),
    ];
    expect(new Set(macs).size).toBe(macs.length);
  });

  it('differs by purpose and by key, and stays the same otherwise', () => {
    expect(after.mac(encryptionKeyId, 'row', ['a'])).toBe(mac('a'));
    expect(after.mac(encryptionKeyId, 'event', ['a'])).not.toBe(mac('a'));
    expect(after.mac(idOf(oldKey), 'row', ['a'])).not.toBe(mac('a'));
    expect(after.mac(idOf(oldKey), 'row', ['a'])).toBe(before.mac(idOf(oldKey), 'row', ['a']));
  });

  it('verifies, and refuses every other text', () => {
    const right = mac('a', 'b');
    expect(after.verifyMac(encryptionKeyId, 'row', ['a', 'b'], right)).toBe(true);
    expect(after.verifyMac(encryptionKeyId, 'row', ['ab'], right)).toBe(false);
    expect(after.verifyMac(encryptionKeyId, 'event', ['a', 'b'], right)).toBe(false);
    expect(after.verifyMac(idOf(oldKey), 'row', ['a', 'b'], right)).toBe(false);
    for (const wrong of ['', right.slice(1), `${right}=`, ` ${right}`, right.toLowerCase(), 'å'.repeat(43)]) {
      expect(after.verifyMac(encryptionKeyId, 'row', ['a', 'b'], wrong)).toBe(false);
    }
  });

  it('is not made or verified with a key that is not loaded', () => {
    expect(() => after.mac('000000000000', 'row', [])).toThrow(KeyNotLoaded);
    expect(() => after.verifyMac('000000000000', 'row', [], '')).toThrow(KeyNotLoaded);
  });

  it('refuses lone surrogates, which UTF-8 would make equal', () => {
    expect(() => mac('\ud83d')).toThrow(TypeError);
  });
});
