/** No address can be built safely from the endpoint and the settings. The message never contains the invalid value. */
export class InvalidTarget extends Error {
  override readonly name = 'InvalidTarget';
  /** @param setting the invalid credential field, such as `deployment_name` */
  constructor(
    readonly setting: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Appends path segments to the endpoint. Building a URL by concatenation could send a key to another host
 * (`evil.com#.openai.azure.com`), so each segment is encoded, dot segments are refused, and the result is checked.
 *
 * @param segments path segments, not yet encoded
 * @throws InvalidTarget unless the result has the endpoint's origin and is below its path
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
    throw new InvalidTarget('endpoint', 'A path segment of the address is empty, "." or "..".');
  }
  const basePath = endpoint.pathname.replace(/\/+$/, '');
  const path = `${basePath}/${segments.map((segment) => encodeURIComponent(segment)).join('/')}`;
  const url = new URL(endpoint.origin);
  url.pathname = path;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  if (url.origin !== endpoint.origin || url.pathname !== path) {
    throw new InvalidTarget('endpoint', 'The address would be outside the endpoint.');
  }
  return url;
}

/**
 * The segments of `path` that the endpoint does not end with yet, because people enter `https://host` as well as
 * `https://host/v1`.
 * @param path such as `openai/v1`; for an endpoint that ends with `/openai`, only `v1` is missing
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
