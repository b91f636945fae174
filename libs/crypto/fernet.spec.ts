import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decrypt, encrypt, encryptAt, generateKey, InvalidKey, InvalidToken, isKey } from './fernet';

interface NpmFernet {
  Secret: new (key: string) => object;
  Token: new (options: { secret: object; ttl: 0; token?: string }) => {
    encode(text: string): string;
    decode(): string;
  };
}
// eslint-disable-next-line @typescript-eslint/no-require-imports -- the package has no types and no ES module
const npmFernet = require('fernet') as NpmFernet;

interface TokenCase {
  key: string;
  token: string;
  plaintext: string;
  name: string;
}
const python = JSON.parse(
  readFileSync(join(__dirname, '../../test/fixtures/python-fernet-tokens.json'), 'utf8'),
) as { valid: TokenCase[]; invalid: TokenCase[] };

const SPEC_KEY = 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=';
const SPEC_TOKEN =
  'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==';
const SPEC_TIME_SECONDS = Date.parse('1985-10-26T01:20:00-07:00') / 1000;
const SPEC_IV = Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const urlSafe = (bytes: Buffer) => bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
const unUrlSafe = (text: string) => Buffer.from(text, 'base64url');
const refused = (token: string, key: string) => {
  try {
    decrypt(token, key);
    return false;
  } catch (error) {
    return error instanceof InvalidToken;
  }
};

describe('the vectors of the Fernet spec', () => {
  it('generate', () => {
    expect(encryptAt('hello', SPEC_KEY, SPEC_TIME_SECONDS, SPEC_IV)).toBe(SPEC_TOKEN);
  });

  it('verify', () => {
    expect(decrypt(SPEC_TOKEN, SPEC_KEY).toString()).toBe('hello');
  });

  it.each([
    [
      'incorrect mac',
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==',
    ],
    ['too short', 'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA=='],
    [
      'invalid base64',
      '%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==',
    ],
    [
      'payload size not multiple of block size',
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm',
    ],
    [
      'payload padding error',
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==',
    ],
    [
      'incorrect IV (causes padding error)',
      'gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==',
    ],
  ])('invalid: %s', (_name, token) => {
    expect(refused(token, SPEC_KEY)).toBe(true);
  });

  it.each([
    [
      'far-future TS (unacceptable clock skew)',
      'gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_qXQcw==',
    ],
    [
      'expired TTL',
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==',
    ],
  ])('invalid by age only, which is not checked: %s', (_name, token) => {
    expect(decrypt(token, SPEC_KEY).toString()).toBe('');
  });
});

describe('each kind of invalid token, signed with the right key', () => {
  const key = generateKey();
  const sign = (signed: Buffer) => {
    const mac = createHmac('sha256', unUrlSafe(key).subarray(0, 16)).update(signed).digest();
    return urlSafe(Buffer.concat([signed, mac]));
  };
  const head = (version = 0x80) => Buffer.concat([Buffer.from([version]), Buffer.alloc(8), SPEC_IV]);
  const blocks = (padded: Buffer) => {
    const cipher = createCipheriv('aes-128-cbc', unUrlSafe(key).subarray(16), SPEC_IV).setAutoPadding(false);
    return Buffer.concat([cipher.update(padded), cipher.final()]);
  };
  const padded = (...tail: number[]) =>
    Buffer.concat([Buffer.alloc(16 - tail.length, 'x'), Buffer.from(tail)]);

  it('opens a valid token', () => {
    expect(decrypt(sign(Buffer.concat([head(), blocks(padded(2, 2))])), key).toString()).toBe('x'.repeat(14));
  });

  it.each([
    ['version 0x81', Buffer.concat([head(0x81), blocks(padded(2, 2))])],
    ['version 0x00', Buffer.concat([head(0), blocks(padded(2, 2))])],
    ['no ciphertext', head()],
    ['half a block', Buffer.concat([head(), blocks(padded(2, 2)).subarray(0, 8)])],
    ['a block and a half', Buffer.concat([head(), blocks(padded(2, 2)), Buffer.alloc(8)])],
    ['padding of 0', Buffer.concat([head(), blocks(padded(0))])],
    ['padding of 17', Buffer.concat([head(), blocks(padded(17))])],
    ['padding that differs before its end', Buffer.concat([head(), blocks(padded(3, 1, 3))])],
  ])('refuses %s', (_name, signed) => {
    expect(refused(sign(signed), key)).toBe(true);
  });
});

describe("Python's cryptography", () => {
  it.each(python.valid)('opens $token', ({ key, token, plaintext }) => {
    expect(decrypt(token, key).toString('utf8')).toBe(plaintext);
  });

  it.each(python.invalid)('refuses $name', ({ key, token }) => {
    expect(refused(token, key)).toBe(true);
  });
});

describe('the npm package', () => {
  const texts = ['hello', 'sk-proj-abc123xyz789', 'åäö-密钥🔑', 'x'.repeat(300)];

  it.each(texts)('opens ours: %s', (text) => {
    const key = generateKey();
    const options = { secret: new npmFernet.Secret(key), ttl: 0 as const, token: encrypt(text, key) };
    expect(new npmFernet.Token(options).decode()).toBe(text);
  });

  it.each(texts)('is opened by ours: %s', (text) => {
    const key = generateKey();
    const token = new npmFernet.Token({ secret: new npmFernet.Secret(key), ttl: 0 }).encode(text);
    expect(decrypt(token, key).toString('utf8')).toBe(text);
  });
});

describe('a changed token', () => {
  const key = generateKey();
  // Tokens of these lengths have no, one and two padding characters.
  const tokens = [5, 20, 40].map((length) => encrypt(randomBytes(length), key));

  it('covers every ending of base64', () => {
    expect(tokens.map((token) => /=*$/.exec(token)?.[0].length).sort()).toEqual([0, 1, 2]);
  });

  it.each(tokens)('is refused for every single bit: %s', (token) => {
    const bytes = unUrlSafe(token);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      if (!refused(urlSafe(changed), key)) throw new Error(`bit ${bit} may be flipped`);
    }
  });

  it.each(tokens)('is refused for every other character at every position: %s', (token) => {
    for (let index = 0; index < token.length; index += 1) {
      for (const character of `${ALPHABET}+/= \n\t\0é.`) {
        if (character === token[index]) continue;
        const changed = token.slice(0, index) + character + token.slice(index + 1);
        if (!refused(changed, key)) throw new Error(`character ${index} may be ${JSON.stringify(character)}`);
      }
    }
  });

  it.each(tokens)('is refused with a character more or less at every position: %s', (token) => {
    for (let index = 0; index <= token.length; index += 1) {
      const variants = [' ', '\n', '=', 'A'].map(
        (extra) => token.slice(0, index) + extra + token.slice(index),
      );
      if (index < token.length) variants.push(token.slice(0, index) + token.slice(index + 1));
      for (const changed of variants) if (!refused(changed, key)) throw new Error(`accepted at ${index}`);
    }
  });

  it('is refused in the standard alphabet', () => {
    let token = encrypt('x', key);
    while (!/[-_]/.test(token)) token = encrypt('x', key);
    expect(refused(token.replaceAll('-', '+').replaceAll('_', '/'), key)).toBe(true);
  });

  it('is refused under any other key, and the error reveals nothing', () => {
    const token = encrypt('sk-very-secret', key);
    expect(() => decrypt(token, generateKey())).toThrow(InvalidToken);
    const error = new InvalidToken();
    expect([error.name, error.message, error.cause, Object.keys(error)]).toEqual([
      'InvalidToken',
      'not a token of this key',
      undefined,
      ['name'],
    ]);
  });
});

describe('a round trip', () => {
  it('restores bytes and text of every length from 0 to 300', () => {
    for (let length = 0; length <= 300; length += 1) {
      const key = generateKey();
      const bytes = randomBytes(length);
      if (!decrypt(encrypt(bytes, key), key).equals(bytes)) throw new Error(`${length} bytes changed`);
      const text = 'å'.repeat(length);
      if (decrypt(encrypt(text, key), key).toString('utf8') !== text)
        throw new Error(`${length} letters changed`);
    }
  });

  it('never makes the same token twice, and stores the current time in it', () => {
    const key = generateKey();
    expect(encrypt('x', key)).not.toBe(encrypt('x', key));
    const seconds = Number(unUrlSafe(encrypt('x', key)).readBigUInt64BE(1));
    expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(5);
  });
});

describe('a key', () => {
  it('is valid and different each time it is generated', () => {
    const keys = Array.from({ length: 100 }, generateKey);
    expect(keys.every(isKey)).toBe(true);
    expect(new Set(keys).size).toBe(100);
  });

  it.each([
    ['empty', ''],
    ['without padding', SPEC_KEY.slice(0, -1)],
    ['31 bytes', urlSafe(Buffer.alloc(31, 1))],
    ['33 bytes', urlSafe(Buffer.alloc(33, 1))],
    ['the standard alphabet', SPEC_KEY.replaceAll('-', '+').replaceAll('_', '/')],
    ['a space in front', ` ${SPEC_KEY}`],
    ['a newline behind', `${SPEC_KEY}\n`],
    ['a last character with spare bits', `${SPEC_KEY.slice(0, -2)}5=`],
    ['44 characters of something else', '*'.repeat(44)],
  ])('is refused: %s', (_name, key) => {
    expect(isKey(key)).toBe(false);
    expect(() => encrypt('x', key)).toThrow(InvalidKey);
    expect(() => decrypt(SPEC_TOKEN, key)).toThrow(InvalidKey);
  });
});
