import { generateKey } from '#crypto';

/** Secrets of different shapes: as issued, short and like no known format, hex, full of characters to escape, UUID. */
export const sentinels = {
  openai: 'sk-proj-Zx9LmQ2vT7bRk4WcSentinelOpenAi',
  anthropic: 'Wermut.Zitrone!84',
  azure: '5f0e1d2c3b4a59687f6e5d4c3b2a1908',
  vllm: String.raw`four plain words, "quoted" \ and /+=&%? 7731`,
  super: 'Kalmar+Sund/super=Key?&%41~long-enough',
  platform: '0c6f1f0e-51d5-4f6b-9a53-7c1d7be0a9c4',
  encryption: generateKey(),
  presented: 'nobodys.Key+that/was=Presented?42',
};
export type SentinelName = keyof typeof sentinels;

/** Lists every spelling that the search knows. It ignores case. */
export function formsOf(secret: string): [string, string][] {
  return [
    ['plain', secret],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['in JSON in JSON', JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1)],
    ['URL-encoded', encodeURIComponent(secret)],
    ['form-encoded', new URLSearchParams({ '': secret }).toString().slice(1)],
    ...encodingsOf(Buffer.from(secret)),
  ];
}

function encodingsOf(bytes: Buffer): [string, string][] {
  return [
    ['hex', bytes.toString('hex')],
    // As JSON and as PostgreSQL writes the numbers of a Buffer.
    ['bytes', bytes.join(',')],
    ['bytes with spaces', bytes.join(', ')],
    ['base64', bytes.toString('base64').replace(/=+$/, '')],
    ['base64url', bytes.toString('base64url')],
    // The characters that do not depend on the bytes around them, as in `Basic` with user and key.
    ...[1, 2].flatMap((offset): [string, string][] => {
      const shifted = Buffer.concat([Buffer.alloc(offset), bytes, Buffer.alloc(2)]);
      const to = Math.floor(((offset + bytes.length) * 8) / 6);
      return [
        [`base64 at ${offset}`, shifted.toString('base64').slice(offset + 1, to)],
        [`base64url at ${offset}`, shifted.toString('base64url').slice(offset + 1, to)],
      ];
    }),
  ];
}

const allForms = [
  ...Object.entries(sentinels).flatMap(([name, secret]) =>
    formsOf(secret).map((form) => [name, ...form] as const),
  ),
  ...encodingsOf(Buffer.from(sentinels.encryption, 'base64url')).map(
    (form) => ['encryption', ...form] as const,
  ),
].map(([name, form, text]) => ({ label: `${name} ${form}`, text: text.toLowerCase() }));

/** Names the secrets in a text and their spellings. It does not repeat the text, so that a failure leaks nothing. */
export function leaksIn(text: string): string[] {
  const lower = text.toLowerCase();
  // A copy of a Buffer is an object with the place of each byte, as in {"0":115,"1":107}.
  const listed = lower.replace(/["\\]+\d+["\\]+: ?/g, '');
  const texts = listed === lower ? [lower] : [lower, listed];
  return allForms.filter((form) => texts.some((each) => each.includes(form.text))).map(({ label }) => label);
}
