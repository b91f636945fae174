import { type NavigateOptions, parsePath, useSearchParams } from 'react-router';

/** New values of parameters of the address. Null or an empty text removes one. */
export type ParameterChanges = Readonly<Record<string, string | null>>;

/** The parameters of the address, and what changes some of them; by default without an entry in the browser's history. */
export function useParameters(): [
  URLSearchParams,
  (changes: ParameterChanges, options?: NavigateOptions) => void,
] {
  const [parameters, setParameters] = useSearchParams();
  const change = (changes: ParameterChanges, options: NavigateOptions = { replace: true }) => {
    // Those of the render, which the router would give, may be older than a change that was made a moment ago.
    const { search } = parsePath(location.hash.slice(1));
    setParameters(changed(new URLSearchParams(search), changes), options);
  };
  return [parameters, change];
}

/** The parameters after changes. */
export function changed(before: URLSearchParams, changes: ParameterChanges): URLSearchParams {
  const after = new URLSearchParams(before);
  for (const [name, value] of Object.entries(changes)) {
    if (value) after.set(name, value);
    else after.delete(name);
  }
  return after;
}
