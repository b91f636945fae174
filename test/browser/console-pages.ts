import { type ConsoleHost } from './console';

interface ConsolePage {
  /** Its address within the console. */
  readonly path: string;
  /** Of its heading: an address that is no page leads to Today. */
  readonly title: string | RegExp;
}

/** Every page of the console, and its views. */
export function pagesOf({ tenants }: ConsoleHost): readonly ConsolePage[] {
  const pageOf = (incident: string, verb: string) => {
    const { id, credentials } = tenants.find((tenant) => tenant.incident === incident)!;
    return { path: `/tenants/${id}/${verb}/${credentials[0]!.provider}`, title: /\bkey\b/ };
  };
  const { id, name } = tenants[0]!;
  return [
    { path: '/', title: 'Today' },
    { path: '/tenants', title: 'Tenants' },
    { path: '/tenants?status=rejected', title: 'Tenants' },
    ...['models', 'keys', 'usage', 'calls', 'audit'].map((tab) => ({
      path: `/tenants/${id}?tab=${tab}`,
      title: name,
    })),
    pageOf('rejected', 'replace'),
    pageOf('staged', 'replace'),
    pageOf('missing', 'add'),
    { path: `/tenants/${id}/add`, title: /\bcredential\b/ },
    ...['Usage', 'Calls', 'Models', 'Audit', 'Access', 'Encryption'].map((title) => ({
      path: `/${title.toLowerCase()}`,
      title,
    })),
  ];
}
