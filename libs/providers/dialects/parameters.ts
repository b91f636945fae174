import { type Json, UnsupportedParameter } from './translation';
import { isAbsent, isTooDeep, spelled } from './values';

/** What becomes of a client's top-level parameter. docs/anthropic-dialect.md shows the same. */
export type Parameter = (
  | { readonly becomes: 'same' }
  /** `to`: where its value goes in the provider's format, and, if it is two there, `alsoTo`. */
  | { readonly becomes: 'translated'; readonly to: string; readonly alsoTo?: string }
  /** Left out and reported. */
  | { readonly becomes: 'dropped' }
  /** Left out without a word: it changes no answer. */
  | { readonly becomes: 'needless' }
  | { readonly becomes: 'refused'; readonly instead: string }
) & {
  /** Values that ask for what happens anyway; they are left out and not reported. */
  readonly harmless?: (value: unknown) => boolean;
};

export type Parameters = Readonly<Record<string, Parameter>>;

/** The client's name of what has this name in the provider's format. */
export function clientNameIn(parameters: Parameters, name: string): string {
  const found = Object.entries(parameters).find(
    ([, each]) => each.becomes === 'translated' && (each.to === name || each.alsoTo === name),
  );
  return found?.[0] ?? name;
}

/**
 * The parameters that need no thought: copies those that are the same, and names those that are left out. Unknown names
 * are left out like known ones without a counterpart: formats grow, and a client's addition must not stop it.
 *
 * @returns what is asked of the translated ones: present, and not for what happens anyway
 * @throws UnsupportedParameter for a refused one
 */
export function sortParameters(
  request: Json,
  parameters: Parameters,
): { readonly same: Json; readonly translated: Json; readonly dropped: Set<string> } {
  const same: Json = {};
  const translated: Json = {};
  const dropped = new Set<string>();
  for (const [name, value] of Object.entries(request)) {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (isAbsent(value) || parameter?.harmless?.(value)) continue;
    if (isTooDeep(value)) {
      throw new UnsupportedParameter(spelled(name), 'This is nested too deeply to be translated.');
    }
    switch (parameter?.becomes) {
      case 'same':
        same[name] = value;
        break;
      case 'translated':
        translated[name] = value;
        break;
      case 'refused':
        throw new UnsupportedParameter(
          name,
          `${name} cannot be expressed for this provider. ${parameter.instead}`,
        );
      case 'dropped':
      case undefined:
        dropped.add(spelled(name));
        break;
      case 'needless':
        break;
    }
  }
  return { same, translated, dropped };
}
