import createClient, { type Middleware } from 'openapi-fetch';
import createQueryClient from 'openapi-react-query';
import { type components, type paths } from './schema';
import { type Problem, RequestFailed } from './problem';

export type Schemas = components['schemas'];

/**
 * Tells Tenkey that a request comes from this page. A page of another origin cannot send this header, so it cannot change anything
 * with the cookie of the session.
 */
export const consoleHeader = { 'X-Tenkey-Console': '1' };

/** Every failure is thrown, so that no page can take the body of a problem for the data that it asked for. */
const throwProblems: Middleware = {
  async onResponse({ response }) {
    if (response.ok) return undefined;
    let problem: Problem | undefined;
    try {
      problem = (await response.json()) as Problem;
    } catch {
      // A proxy may respond with a page of its own.
    }
    throw new RequestFailed(response.status, problem);
  },
  onError: () => new RequestFailed(0, undefined),
};

export const client = createClient<paths>({
  baseUrl: document.baseURI.replace(/\/$/, ''),
  headers: consoleHeader,
  credentials: 'same-origin',
});
client.use(throwProblems);

/** Hooks for React: `api.useQuery('get', '/api/v1/sysadmin/tenants', { params })`. */
export const api = createQueryClient(client);
