import { type Json, UnsupportedParameter } from './translation';
import { isAbsent, isTooDeep, safeName } from './values';

/** What becomes of a client's top-level parameter, as docs/anthropic-dialect.md and docs/responses-dialect.md document it. */
export type Parameter = (
  | { readonly becomes: 'same' }
  /** `to`: the parameter in the provider's format. `alsoTo`: a second one that receives a part of the value. */
  | { readonly becomes: 'translated'; readonly to: string; readonly alsoTo?: string }
  /** Left out and named in a response header. */
  | { readonly becomes: 'dropped' }
  /** Left out and not named, because it changes no response. */
  | { readonly becomes: 'left out' }
  /** `instead`: a sentence that says what the client can do. */
  | { readonly becomes: 'refused'; readonly instead: string }
) & {
  /** True for values that request what happens anyway. They are left out and not named. */
  readonly harmless?: (value: unknown) => boolean;
};

export type Parameters = Readonly<Record<string, Parameter>>;

/**
 * The client's name for a parameter of the provider's format. Of a path within a parameter that the client knows by another
 * name, only that name is left.
 */
export function clientNameIn(parameters: Parameters, path: string): string {
  const [name = ''] = /^\w*/.exec(path) ?? [];
  const entry = Object.entries(parameters).find(
    ([, each]) =>
      each.becomes === 'translated' && [each.to, each.alsoTo].some((to) => to === path || to === name),
  );
  return entry === undefined || entry[0] === name ? path : entry[0];
}

/**
 * Sorts the client's parameters by what becomes of them. Unknown ones are dropped, like known ones without a counterpart,
 * because formats grow and a new parameter must not make a request fail. Absent and harmless values are left out.
 *
 * @returns the parameters to copy, those that need a translation, and the names of those that are dropped
 * @throws UnsupportedParameter for a refused parameter, and for a value that is nested too deeply
 */
export function sortParameters(
  request: Json,
  parameters: Parameters,
): { readonly same: Json; readonly toTranslate: Json; readonly dropped: Set<string> } {
  const same: Json = {};
  const toTranslate: Json = {};
  const dropped = new Set<string>();
  for (const [name, value] of Object.entries(request)) {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (isAbsent(value) || parameter?.harmless?.(value)) continue;
    if (isTooDeep(value)) {
      throw new UnsupportedParameter(safeName(name), 'This value is nested too deeply to be translated.');
    }
    switch (parameter?.becomes) {
      case 'same':
        same[name] = value;
        break;
      case 'translated':
        toTranslate[name] = value;
        break;
      case 'refused':
        throw new UnsupportedParameter(
          name,
          `${name} has no counterpart in this provider's format. ${parameter.instead}`,
        );
      case 'dropped':
      case undefined:
        dropped.add(safeName(name));
        break;
      case 'left out':
        break;
    }
  }
  return { same, toTranslate, dropped };
}
