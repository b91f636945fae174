import { isObject } from '../values';
import { type Correction } from './correction';

type Encoding = 'float' | 'base64';

/** Parameters of Mistral and vLLM that ask for other numbers than little-endian floats of 32 bits, and the values that do not. */
const otherNumbers: Readonly<Record<string, readonly string[]>> = {
  output_dtype: ['float'],
  embed_dtype: ['float32'],
  endianness: ['little', 'native'],
};
const firstVector = /"embedding"\s*:\s*(["[])/;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;
const bytesPerNumber = 4;

/**
 * The encoding in which the client of an embedding expects its vectors
 * (https://platform.openai.com/docs/api-reference/embeddings/create). OpenAI's own clients ask for base64, and
 * would misread a list.
 * @param request whose parameters `text` reads
 * @returns undefined when it asks for something else, which only the provider knows
 */
export function encodingAskedFor(request: { text(name: string): string | undefined }): Encoding | undefined {
  for (const [name, usual] of Object.entries(otherNumbers)) {
    const value = request.text(name);
    if (value !== undefined && !usual.includes(value)) return undefined;
  }
  const format = request.text('encoding_format') ?? 'float';
  return format === 'float' || format === 'base64' ? format : undefined;
}

/** The vectors of a response in this encoding, if the provider sent the other one. */
export const vectorsAs: Readonly<Record<Encoding, Correction>> = {
  float: correctionTo('[', (vector) => (typeof vector === 'string' ? floatsIn(vector) : undefined)),
  base64: correctionTo('"', (vector) => (Array.isArray(vector) ? base64Of(vector) : undefined)),
};

/**
 * @param opening how a vector in this encoding begins
 * @param convert returns undefined when the vector stays as it is
 */
function correctionTo(opening: '[' | '"', convert: (vector: unknown) => unknown): Correction {
  const openingOf = (bytes: Buffer) => firstVector.exec(bytes.toString('latin1'))?.[1];
  return {
    isRightFrom: (beginning) => openingOf(beginning) === opening,
    concerns: (bytes) => {
      const found = openingOf(bytes);
      return found !== undefined && found !== opening;
    },
    apply: (json) => {
      let response: unknown;
      try {
        response = JSON.parse(json.toString('utf8'));
      } catch {
        return json;
      }
      if (!isObject(response) || !Array.isArray(response.data)) return json;
      for (const item of (response.data as unknown[]).filter(isObject)) {
        item.embedding = convert(item.embedding) ?? item.embedding;
      }
      return Buffer.from(JSON.stringify(response));
    },
  };
}

function floatsIn(text: string): number[] | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (!base64.test(text) || bytes.length % bytesPerNumber !== 0) return undefined;
  return Array.from({ length: bytes.length / bytesPerNumber }, (_, index) =>
    bytes.readFloatLE(index * bytesPerNumber),
  );
}

function base64Of(vector: unknown[]): string | undefined {
  const bytes = Buffer.alloc(vector.length * bytesPerNumber);
  for (const [index, value] of vector.entries()) {
    if (typeof value !== 'number') return undefined;
    bytes.writeFloatLE(value, index * bytesPerNumber);
  }
  return bytes.toString('base64');
}
