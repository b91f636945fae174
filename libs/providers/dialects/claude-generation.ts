/** The levels of https://platform.claude.com/docs/en/build-with-claude/effort, from the lowest to the highest. */
export const efforts = ['low', 'medium', 'high', 'xhigh', 'max'] as const;
export type Effort = (typeof efforts)[number];

/** What a Claude model accepts, as far as a translated request depends on it. */
export interface ClaudeGeneration {
  /** How many of `temperature` and `top_p` a request may contain. 0 also excludes `top_k`. */
  readonly samplingParameters: 0 | 1 | 2;
  /** How a request controls thinking: by an effort within which the model decides, or by a budget of tokens. */
  readonly thinking: 'adaptive' | 'budget' | 'none';
  /** Whether the model thinks when the request has no `thinking`. */
  readonly thinksByDefault: 'never' | 'unless disabled' | 'always';
  readonly efforts: readonly Effort[];
  /** `max_tokens` for a request without a limit, because Anthropic requires one. Thinking counts towards it. */
  readonly defaultMaxTokens: number;
}

interface Since {
  readonly version: readonly [number, number];
  readonly generation: ClaudeGeneration;
}

const newest: ClaudeGeneration = {
  samplingParameters: 0,
  thinking: 'adaptive',
  thinksByDefault: 'unless disabled',
  efforts,
  defaultMaxTokens: 16_384,
};

/** From the newest to the oldest. The first one that is not newer than the model applies. */
const generations: readonly Since[] = [
  { version: [5, 0], generation: newest },
  { version: [4, 7], generation: { ...newest, thinksByDefault: 'never' } },
  {
    version: [4, 6],
    generation: {
      ...newest,
      samplingParameters: 1,
      thinksByDefault: 'never',
      efforts: ['low', 'medium', 'high', 'max'],
    },
  },
  {
    version: [4, 1],
    generation: { ...newest, samplingParameters: 1, thinking: 'budget', thinksByDefault: 'never' },
  },
  {
    version: [3, 7],
    generation: { ...newest, samplingParameters: 2, thinking: 'budget', thinksByDefault: 'never' },
  },
  {
    version: [3, 5],
    generation: {
      samplingParameters: 2,
      thinking: 'none',
      thinksByDefault: 'never',
      efforts: [],
      defaultMaxTokens: 8192,
    },
  },
];

const oldest: ClaudeGeneration = {
  samplingParameters: 2,
  thinking: 'none',
  thinksByDefault: 'never',
  efforts: [],
  defaultMaxTokens: 4096,
};

/**
 * Reads the version in the model's name (`claude-3-5-sonnet-20241022`, `claude-opus-4-6`). A name without a version counts
 * as the newest: parameters that the newest models refuse are left out, and an older model works without them.
 * Source: https://platform.claude.com/docs/en/about-claude/models and the pages on effort and thinking.
 */
export function claudeGeneration(model: string): ClaudeGeneration {
  const version = versionIn(model);
  const generation =
    version === undefined
      ? newest
      : (generations.find(({ version: since }) => !isBefore(version, since))?.generation ?? oldest);
  const alwaysThinks =
    /fable|mythos/.test(model) ||
    (model.includes('opus') && version !== undefined && !isBefore(version, [5, 5]));
  return alwaysThinks ? { ...generation, thinksByDefault: 'always' } : generation;
}

/** Each number of the version has one or two digits. The eight digits of a date are not a version. */
function versionIn(model: string): [number, number] | undefined {
  const match = /claude\D*?(?<!\d)(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?/.exec(model);
  return match?.[1] === undefined ? undefined : [Number(match[1]), Number(match[2] ?? 0)];
}

function isBefore(version: readonly [number, number], other: readonly [number, number]): boolean {
  return version[0] < other[0] || (version[0] === other[0] && version[1] < other[1]);
}
