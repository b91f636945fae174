/** The levels of https://platform.claude.com/docs/en/build-with-claude/effort, least first. */
export const efforts = ['low', 'medium', 'high', 'xhigh', 'max'] as const;
export type Effort = (typeof efforts)[number];

/** What a Claude model takes, as far as a translated request depends on it. */
export interface ClaudeGeneration {
  /** How many of temperature and top_p may be in one request. From 4.7 on, none and no top_k either. */
  readonly samplingParameters: 0 | 1 | 2;
  /** How it is asked to think: it decides itself within an effort, or it gets a budget of tokens. */
  readonly thinking: 'adaptive' | 'budget' | 'none';
  /** What a request without `thinking` gets. */
  readonly thinksUnasked: 'never' | 'unless disabled' | 'always';
  readonly efforts: readonly Effort[];
  /** The limit for a request without one: Anthropic demands it, OpenAI does not. Thinking counts toward it. */
  readonly defaultMaxTokens: number;
}

interface Since {
  readonly version: readonly [number, number];
  readonly generation: ClaudeGeneration;
}

const newest: ClaudeGeneration = {
  samplingParameters: 0,
  thinking: 'adaptive',
  thinksUnasked: 'unless disabled',
  efforts,
  defaultMaxTokens: 16_384,
};

/** Newest first: the first one that is not newer than the model holds. */
const generations: readonly Since[] = [
  { version: [5, 0], generation: newest },
  { version: [4, 7], generation: { ...newest, thinksUnasked: 'never' } },
  {
    version: [4, 6],
    generation: {
      ...newest,
      samplingParameters: 1,
      thinksUnasked: 'never',
      efforts: ['low', 'medium', 'high', 'max'],
    },
  },
  {
    version: [4, 1],
    generation: { ...newest, samplingParameters: 1, thinking: 'budget', thinksUnasked: 'never' },
  },
  {
    version: [3, 7],
    generation: { ...newest, samplingParameters: 2, thinking: 'budget', thinksUnasked: 'never' },
  },
  {
    version: [3, 5],
    generation: {
      samplingParameters: 2,
      thinking: 'none',
      thinksUnasked: 'never',
      efforts: [],
      defaultMaxTokens: 8192,
    },
  },
];

const oldest: ClaudeGeneration = {
  samplingParameters: 2,
  thinking: 'none',
  thinksUnasked: 'never',
  efforts: [],
  defaultMaxTokens: 4096,
};

/**
 * By the version in the model's name (`claude-3-5-sonnet-20241022`, `claude-opus-4-6`). A name without one is taken for
 * the newest: what that refuses is left out, and an older model answers all the same.
 * Source: https://platform.claude.com/docs/en/about-claude/models and the pages on effort and thinking.
 */
export function claudeGeneration(model: string): ClaudeGeneration {
  const version = versionIn(model);
  const generation =
    version === undefined
      ? newest
      : (generations.find(({ version: since }) => !isBefore(version, since))?.generation ?? oldest);
  const cannotStop =
    /fable|mythos/.test(model) ||
    (model.includes('opus') && version !== undefined && !isBefore(version, [5, 5]));
  return cannotStop ? { ...generation, thinksUnasked: 'always' } : generation;
}

/** One or two digits each; the eight digits of a date are not a version. */
function versionIn(model: string): [number, number] | undefined {
  const match = /claude\D*?(?<!\d)(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?/.exec(model);
  return match?.[1] === undefined ? undefined : [Number(match[1]), Number(match[2] ?? 0)];
}

function isBefore(version: readonly [number, number], other: readonly [number, number]): boolean {
  return version[0] < other[0] || (version[0] === other[0] && version[1] < other[1]);
}
