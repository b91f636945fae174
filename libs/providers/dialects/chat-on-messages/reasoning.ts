import { type ClaudeGeneration, type Effort, efforts } from '../claude-generation';
import { type Json, UnsupportedParameter } from '../translation';
import { isAbsent, isObject, objectAt, textAt } from '../values';

/** Tokens to think in, for models that take no effort. The least that Anthropic takes is 1024. */
const budgets: Readonly<Record<Effort, number>> = {
  low: 1024,
  medium: 4096,
  high: 12_288,
  xhigh: 24_576,
  max: 32_768,
};
const leastBudget = budgets.low;
/** The part of the limit that may go into thinking: an answer must fit behind it. */
const thinkingShare = 0.8;

/**
 * `reasoning_effort` as Anthropic's thinking, unless the client says itself what it wants in Anthropic's own `thinking`
 * or `output_config.effort`. Thinking and a forced tool exclude each other; the tool is what the answer is about.
 */
export function encodeReasoning(
  body: Json,
  asked: Json,
  generation: ClaudeGeneration,
  dropped: Set<string>,
): void {
  if ('thinking' in asked) body.thinking = objectAt('thinking', asked.thinking);
  if (!('reasoning_effort' in asked)) return;
  const effort = effortOf(textAt('reasoning_effort', asked.reasoning_effort));
  const isSet = 'thinking' in asked || (isObject(body.output_config) && !isAbsent(body.output_config.effort));
  const isForced = isObject(body.tool_choice) && ['any', 'tool'].includes(body.tool_choice.type as string);
  if (isSet) dropped.add('reasoning_effort');
  else if (effort === 'none') encodeNone(body, generation, dropped);
  else if (isForced || generation.thinking === 'none') dropped.add('reasoning_effort');
  else if (generation.thinking === 'adaptive') encodeEffort(body, effort, generation, dropped);
  else encodeBudget(body, effort, dropped);
}

function encodeNone(body: Json, { thinksUnasked }: ClaudeGeneration, dropped: Set<string>): void {
  if (thinksUnasked === 'unless disabled') body.thinking = { type: 'disabled' };
  else if (thinksUnasked === 'always') dropped.add('reasoning_effort');
}

/** A level that the model does not have becomes the next lower one that it has, and is reported. */
function encodeEffort(body: Json, effort: Effort, generation: ClaudeGeneration, dropped: Set<string>): void {
  const lower = efforts.slice(0, efforts.indexOf(effort) + 1);
  const nearest = lower.findLast((level) => generation.efforts.includes(level));
  if (nearest !== effort) dropped.add('reasoning_effort');
  body.thinking = { type: 'adaptive' };
  body.output_config = { ...(isObject(body.output_config) ? body.output_config : {}), effort: nearest };
}

function encodeBudget(body: Json, effort: Effort, dropped: Set<string>): void {
  const room = Math.floor(Number(body.max_tokens) * thinkingShare);
  if (room < leastBudget || goesOnWithoutThinking(body.messages)) dropped.add('reasoning_effort');
  else body.thinking = { type: 'enabled', budget_tokens: Math.min(budgets[effort], room) };
}

/**
 * With a budget, the turn that results of tools continue must begin with the thinking that it had. Clients of OpenAI's
 * format may have left it out; models that think adaptively do not mind.
 */
function goesOnWithoutThinking(messages: unknown): boolean {
  const [calls, results] = Array.isArray(messages) ? messages.slice(-2).map(blocksOf) : [];
  const goesOn = results?.some(({ type }) => type === 'tool_result') ?? false;
  return goesOn && !['thinking', 'redacted_thinking'].includes(calls?.[0]?.type as string);
}

function blocksOf(message: unknown): Json[] {
  return isObject(message) && Array.isArray(message.content) ? message.content.filter(isObject) : [];
}

/** OpenAI's `minimal` is the least that reasons, as is Anthropic's `low`. */
function effortOf(value: string): Effort | 'none' {
  if (value === 'none') return 'none';
  const effort = value === 'minimal' ? 'low' : efforts.find((level) => level === value);
  if (effort !== undefined) return effort;
  throw new UnsupportedParameter(
    'reasoning_effort',
    `reasoning_effort must be one of none, minimal, ${efforts.join(', ')}.`,
  );
}
