/**
 * An address that cannot be built safely from the given endpoint and settings. The value at fault is not in it: it may
 * come from a tenant.
 */
export class InvalidTarget extends Error {
  override readonly name = 'InvalidTarget';
  /** @param setting the credential field at fault, e.g. `deployment_name` */
  constructor(
    readonly setting: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * The endpoint with path segments appended. Text that was concatenated to a URL has moved keys to other hosts
 * (`evil.com#.openai.azure.com`): here each segment is encoded, a dot segment refused, and the outcome compared.
 *
 * @param segments one path segment each, not yet encoded
 * @throws InvalidTarget unless the result has the endpoint's origin and lies below its path
 */
export function urlBelow(
  endpoint: URL,
  segments: readonly string[],
  query: Readonly<Record<string, string>> = {},
): URL {
  if (endpoint.protocol !== 'http:' && endpoint.protocol !== 'https:') {
    throw new InvalidTarget('endpoint', 'The endpoint must be an http or https URL.');
  }
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw new InvalidTarget('endpoint', 'A part of the address is empty or a dot segment.');
  }
  const basePath = endpoint.pathname.replace(/\/+$/, '');
  const path = `${basePath}/${segments.map((segment) => encodeURIComponent(segment)).join('/')}`;
  const url = new URL(endpoint.origin);
  url.pathname = path;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  if (url.origin !== endpoint.origin || url.pathname !== path) {
    throw new InvalidTarget('endpoint', 'The address would leave the endpoint.');
  }
  return url;
}

/**
 * The segments of `path` that the endpoint does not already end with: people paste `https://host`, `https://host/v1` or
 * a part between, and mean the same.
 * @param path segments joined by slashes, e.g. `openai/v1`; below `/openai` only `v1` is missing
 */
export function missingSegments(endpoint: URL, path: string): string[] {
  const wanted = path.split('/');
  const present = endpoint.pathname.replace(/\/+$/, '').split('/').slice(1);
  for (let count = Math.min(wanted.length, present.length); count > 0; count -= 1) {
    const overlaps = wanted
      .slice(0, count)
      .every((each, at) => each === present[present.length - count + at]);
    if (overlaps) return wanted.slice(count);
  }
  return wanted;
}
