import { type TenantPageResponse, type TenantResponse } from '#tenants';
import { Refusal } from '../command-line';
import { type Client, type Query, RefusedRequest } from './client';

/** The most items that a page of the API has. */
export const PAGE = 1000;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A page of a list. */
interface Page {
  readonly next_cursor: string | null;
}

type Paths = Pick<typeof import('#http'), 'credentialPath' | 'sysadminPrefix' | 'tenantPath'>;

/**
 * The sysadmin API of a running Tenkey. A response has the type that the caller names, which comes from the library of its route, so that
 * a changed response does not compile.
 */
export class SysadminApi {
  constructor(
    readonly client: Client,
    private readonly paths: Paths,
  ) {}

  get<Response>(path: string, query?: Query): Promise<Response> {
    return this.client.send('GET', this.#full(path), { query }) as Promise<Response>;
  }

  post<Response>(path: string, body?: object, query?: Query): Promise<Response> {
    return this.client.send('POST', this.#full(path), { body, query }) as Promise<Response>;
  }

  put<Response>(path: string, body: object, query?: Query): Promise<Response> {
    return this.client.send('PUT', this.#full(path), { body, query }) as Promise<Response>;
  }

  patch<Response>(path: string, body: object): Promise<Response> {
    return this.client.send('PATCH', this.#full(path), { body }) as Promise<Response>;
  }

  delete<Response>(path: string, query?: Query): Promise<Response> {
    return this.client.send('DELETE', this.#full(path), { query }) as Promise<Response>;
  }

  /** The pages of a list, each requested when the one before it has been used. */
  async *pages<Response extends Page>(path: string, query: Query = {}): AsyncGenerator<Response> {
    for (let cursor: string | null | undefined = undefined; cursor !== null;) {
      const page: Response = await this.get<Response>(path, { ...query, cursor });
      yield page;
      cursor = page.next_cursor;
    }
  }

  /** Pages that together have at most this many items. */
  async *newest<Response extends Page & { readonly items: readonly unknown[] }>(
    path: string,
    query: Query,
    limit: number,
  ): AsyncGenerator<Response> {
    let left = limit;
    for (let cursor: string | undefined = undefined; left > 0;) {
      const page: Response = await this.get<Response>(path, {
        ...query,
        cursor,
        limit: Math.min(left, PAGE),
      });
      yield page;
      if (page.next_cursor === null) return;
      cursor = page.next_cursor;
      left -= page.items.length;
    }
  }

  tenantPages(query: Query = {}): AsyncGenerator<TenantPageResponse> {
    return this.pages<TenantPageResponse>('/tenants', { limit: PAGE, ...query });
  }

  /**
   * The id of the tenant with this id or exactly this name.
   * @throws Refusal that does not repeat the text, which may be a secret that was pasted by mistake
   */
  async tenantId(idOrName: string): Promise<string> {
    if (uuid.test(idOrName)) return idOrName.toLowerCase();
    const tenant = await this.#tenantNamed(idOrName);
    if (tenant) return tenant.id;
    throw new Refusal(
      'there is no tenant with this id or name. npx tenkey tenants list shows all; a name must be written exactly as there',
    );
  }

  /** The routes of a tenant, below the prefix of the API. */
  async tenantPath(idOrName: string): Promise<string> {
    return this.#below(this.paths.tenantPath(await this.tenantId(idOrName)));
  }

  /** The routes of a credential, below the prefix of the API. */
  async credentialPath(idOrName: string, provider: string): Promise<string> {
    return this.#below(this.paths.credentialPath(await this.tenantId(idOrName), checkedProvider(provider)));
  }

  async #tenantNamed(name: string): Promise<TenantResponse | undefined> {
    try {
      for await (const { items } of this.tenantPages({ search: name })) {
        const found = items.find((tenant) => tenant.name === name);
        if (found) return found;
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof RefusedRequest) || error.code !== 'forbidden') throw error;
      throw new RefusedRequest(
        error.code,
        `${error.message}\nWithout that right, give the id of the tenant, not its name.`,
      );
    }
  }

  #full(path: string): string {
    return this.paths.sysadminPrefix + path;
  }

  #below(path: string): string {
    return path.slice(this.paths.sysadminPrefix.length);
  }
}

/** Text that goes into a path must not change the path. */
function checkedProvider(provider: string): string {
  if (/^[a-z0-9_-]{1,40}$/i.test(provider)) return provider;
  throw new Refusal('a provider is named by its id, such as openai or azure');
}

/** @throws Refusal that does not repeat the text, which may be the key */
export function checkedKeyId(keyId: string): string {
  if (/^[0-9A-Za-z]{11}$/.test(keyId)) return keyId;
  throw new Refusal(
    'a key is named by its id of 11 characters, which the list shows, and not by the key itself',
  );
}
