import { isObject } from '../values';

/** What the content of an assistant's message says. Absent texts are empty strings. */
export interface ContentTexts {
  readonly text: string;
  readonly thinking: string;
  readonly refusal: string;
}

/**
 * Reads content that is a string or a list of parts. Mistral answers with lists (https://docs.mistral.ai/capabilities/reasoning
 * and /capabilities/citations), whose thinking is again a list, and whose references have no text. Databricks names the
 * thinking `reasoning` and lists its texts in `summary`
 * (https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference).
 */
export function textsOf(content: unknown): ContentTexts {
  if (!Array.isArray(content)) return { text: textIn(content), thinking: '', refusal: '' };
  let text = '';
  let thinking = '';
  let refusal = '';
  for (const part of content as unknown[]) {
    if (!isObject(part)) text += textIn(part);
    else if (part.type === 'thinking') thinking += textIn(part.thinking);
    else if (part.type === 'reasoning') thinking += textIn(part.summary) + textIn(part.text);
    else if (part.type === 'refusal') refusal += textIn(part.refusal);
    else text += textIn(part.text);
  }
  return { text, thinking, refusal };
}

/** The text of a string, of a part, or of a list of them. */
function textIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map((item) => (Array.isArray(item) ? '' : textIn(item))).join('');
  return isObject(value) && typeof value.text === 'string' ? value.text : '';
}
