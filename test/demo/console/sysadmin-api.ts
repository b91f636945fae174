/** Sends a request to the sysadmin API and returns the body of its success. */
export type SysadminApi = <Body>(method: string, path: string, body?: object, key?: string) => Promise<Body>;

export function sysadminApi(base: string, superKey: string): SysadminApi {
  return async <Body>(method: string, path: string, body?: object, key = superKey) => {
    const response = await fetch(`${base}/api/v1/sysadmin${path}`, {
      method,
      headers: { 'x-api-key': key, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Body;
  };
}

/** A time in the future, or in the past if the distance is negative. */
export function fromNow({ days = 0, hours = 0 }: { days?: number; hours?: number }): string {
  return new Date(Date.now() + (days * 24 + hours) * 3_600_000).toISOString();
}
