import { generateKey } from '#crypto';

/** Each of another shape: as issued, short and like no known format, hex, with everything that needs escaping, uuid. */
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

/** Every spelling that is searched for, without regard to case. */
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
    ['base64', bytes.toString('base64').replace(/=+$/, '')],
    ['base64url', bytes.toString('base64url')],
    // In the middle of a longer text, as in `Basic` of user and key: what the neighbours leave whole.
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

/** Which secret stands in a text, and how; the text itself is not repeated, so that a failure leaks nothing either. */
export function leaksIn(text: string): string[] {
  const lower = text.toLowerCase();
  return allForms.filter((form) => lower.includes(form.text)).map(({ label }) => label);
}
