/** Whether the key was published somewhere, or is a placeholder. Such keys get copied from examples, and protect nothing. */
export function isPublishedKey(key: string): boolean {
  return PREFIXES.some((prefix) => key.startsWith(prefix)) || KEYS.has(key) || isPattern(key);
}

/** From Eneo's sample .env and tests. Eight characters identify a key without publishing it again. */
const PREFIXES = ['QkSCr5Va', 'FNVdDyfq', 'yPIAaWTE'];

const KEYS = new Set([
  'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=', // the Fernet spec's vectors
  'JrdICDH6x3M7duQeM8dJEMK4Y5TkBIsYDw1lPy35RiY=', // tests of the Fernet libraries for Ruby, Go, Java, Python
  'badICDH6x3M7duQeM8dJEMK4Y5TkBIsYDw1lPy35RiY=',
  '81HqDtbqAywKSOumSha3BhWNOdQ26slT6K0YaZeZyPs=', // widely copied Airflow examples
  '46BKJoQYlPPOexq0OhDZnIlNepKFf87WFwLbfzqDDho=',
]);

/** Whether the 32 bytes are all equal, or count up or down, as in a placeholder that was written by hand. */
function isPattern(key: string): boolean {
  const bytes = Buffer.from(key, 'base64url');
  if (bytes.length !== 32) return false;
  const step = bytes.readUInt8(1) - bytes.readUInt8(0);
  if (Math.abs(step) > 1) return false;
  return bytes.every((byte, index) => byte === bytes.readUInt8(0) + step * index);
}
