import { eachEvent, fieldsOfEvent } from '#egress';

/** English text has about four characters per token, by OpenAI's rule of thumb. */
export const CHARACTERS_PER_TOKEN = 4;

/**
 * Estimates how many tokens a stream has brought so far, from a sample of its events: their share of text, applied to the whole.
 * @param sample the newest events
 * @param streamBytes the size of all events
 */
export function streamedTokens(sample: Buffer, streamBytes: number): number {
  let characters = 0;
  for (const event of eachEvent(sample)) characters += charactersIn(fieldsOfEvent(event).data ?? '');
  return Math.ceil((characters / CHARACTERS_PER_TOKEN) * (streamBytes / sample.length));
}

/** The characters of the texts below `delta`, or in `text`, which is where all APIs have what the model wrote. */
function charactersIn(data: string): number {
  let characters = 0;
  try {
    JSON.parse(data, (name, value: unknown) => {
      if (name !== 'delta' && name !== 'text') return value;
      const texts = typeof value === 'string' ? [value] : textsBelow(value);
      for (const text of texts) characters += text.length;
      return undefined;
    });
  } catch {
    // [DONE], or no JSON.
  }
  return characters;
}

const namesOfTexts = ['content', 'reasoning_content', 'reasoning', 'refusal', 'thinking', 'partial_json'];

function textsBelow(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const fields = value as Record<string, unknown>;
  const calls = Array.isArray(fields.tool_calls)
    ? (fields.tool_calls as { function?: { arguments?: unknown } }[])
    : [];
  return [
    ...namesOfTexts.map((name) => fields[name]),
    ...calls.map((call) => call?.function?.arguments),
  ].filter((each) => typeof each === 'string');
}
