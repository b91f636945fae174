import { type ClaudeGeneration, type Effort, efforts } from '../claude-generation';
import { type Json, UnsupportedParameter } from '../translation';
import { isAbsent, isObject, requireObject, requireText } from '../values';

/** Thinking budgets in tokens, for models that accept no effort. Anthropic requires at least 1024. */
const budgets: Readonly<Record<Effort, number>> = {
  low: 1024,
  medium: 4096,
  high: 12_288,
  xhigh: 24_576,
  max: 32_768,
};
const minimumBudget = budgets.low;
/** The part of the limit that thinking may use, so that the response still fits. */
const thinkingShare = 0.8;

/**
 * Translates `reasoning_effort` into Anthropic's thinking, unless the client sends Anthropic's own `thinking` or
 * `output_config.effort`. Anthropic refuses thinking together with a forced tool; the tool takes precedence, because it
 * determines the response.
 */
export function encodeReasoning(
  body: Json,
  params: Json,
  generation: ClaudeGeneration,
  dropped: Set<string>,
): void {
  if ('thinking' in params) body.thinking = requireObject('thinking', params.thinking);
  if (!('reasoning_effort' in params)) return;
  const effort = effortOf(requireText('reasoning_effort', params.reasoning_effort));
  const isSet =
    'thinking' in params || (isObject(body.output_config) && !isAbsent(body.output_config.effort));
  const isForced = isObject(body.tool_choice) && ['any', 'tool'].includes(body.tool_choice.type as string);
  if (isSet) dropped.add('reasoning_effort');
  else if (effort === 'none') encodeNone(body, generation, dropped);
  else if (isForced || generation.thinking === 'none') dropped.add('reasoning_effort');
  else if (generation.thinking === 'adaptive') encodeEffort(body, effort, generation, dropped);
  else encodeBudget(body, effort, dropped);
}

function encodeNone(body: Json, { thinksByDefault }: ClaudeGeneration, dropped: Set<string>): void {
  if (thinksByDefault === 'unless disabled') body.thinking = { type: 'disabled' };
  else if (thinksByDefault === 'always') dropped.add('reasoning_effort');
}

/** A level that the model does not have becomes the next lower one, and is named as dropped. */
function encodeEffort(body: Json, effort: Effort, generation: ClaudeGeneration, dropped: Set<string>): void {
  const lower = efforts.slice(0, efforts.indexOf(effort) + 1);
  const nearest = lower.findLast((level) => generation.efforts.includes(level));
  if (nearest !== effort) dropped.add('reasoning_effort');
  body.thinking = { type: 'adaptive' };
  body.output_config = { ...(isObject(body.output_config) ? body.output_config : {}), effort: nearest };
}

function encodeBudget(body: Json, effort: Effort, dropped: Set<string>): void {
  const room = Math.floor(Number(body.max_tokens) * thinkingShare);
  if (room < minimumBudget || continuesWithoutThinking(body.messages)) dropped.add('reasoning_effort');
  else body.thinking = { type: 'enabled', budget_tokens: Math.min(budgets[effort], room) };
}

/**
 * True if the results of tools continue a turn that does not start with its thinking. Anthropic refuses that together with
 * a budget, and clients of OpenAI's format may leave the thinking out. Adaptive thinking has no such rule.
 */
function continuesWithoutThinking(messages: unknown): boolean {
  const [calls, results] = Array.isArray(messages) ? messages.slice(-2).map(blocksOf) : [];
  const isContinued = results?.some(({ type }) => type === 'tool_result') ?? false;
  return isContinued && !['thinking', 'redacted_thinking'].includes(calls?.[0]?.type as string);
}

function blocksOf(message: unknown): Json[] {
  return isObject(message) && Array.isArray(message.content) ? message.content.filter(isObject) : [];
}

/** OpenAI's lowest effort is `minimal`, and Anthropic's is `low`. */
function effortOf(value: string): Effort | 'none' {
  if (value === 'none') return 'none';
  const effort = value === 'minimal' ? 'low' : efforts.find((level) => level === value);
  if (effort !== undefined) return effort;
  throw new UnsupportedParameter(
    'reasoning_effort',
    `reasoning_effort must be one of none, minimal, ${efforts.join(', ')}.`,
  );
}
