import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { type Config, InjectConfig } from '#config';
import { sqlStateOf, within } from '#database';
import { type Route } from '#egress';
import { Problem } from '#http';
import { hashOf, type ObjectId, type ObjectKind } from './kinds';
import { type NamedId } from './named-ids';
import { type StoredObject } from './stored-object.entity';

/** To whom ids belong: a tenant, at the provider and host that made them. */
export interface Owner extends Pick<Route, 'tenantId' | 'host'> {
  readonly provider: { readonly id: string };
}

/** Ids that a response hands out. */
export interface NewObjects {
  readonly ids: readonly ObjectId[];
  /** The name in ai_models.yml. */
  readonly model: string;
  /** The items belong to a conversation, which providers keep until it is deleted. */
  readonly areInConversation: boolean;
  /** The response is made in the background, and its tokens are not known yet. */
  readonly isUsageDue: boolean;
}

/** A response that a tenant owns. */
export type OwnedResponse = Pick<StoredObject, 'provider' | 'host' | 'model'>;

/** Providers keep them until somebody deletes them. */
const keptKinds: readonly ObjectKind[] = ['conversation', 'file'];
/** More than any conversation has. */
const MAXIMUM_IDS = 5000;
/** Some servers number what they make, so that two tenants get the same id. A longer id is made once. */
const SHORTEST_UNIQUE = 20;
/** Other characters may be lost at the provider, so that another id would arrive than the one that was checked. */
const visible = /^[\x21-\x7e]+$/;

/**
 * Knows which tenant owns which stored object. Nothing is cached: each method reads or writes the database, and fails when the
 * database is unavailable. Every query names the tenant.
 */
@Injectable()
export class StoredObjectsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
  ) {}

  /**
   * Refuses ids of objects that the tenant does not own.
   * @throws Problem object_not_found, malformed_request
   */
  async refuseForeign({ tenantId, provider, host }: Owner, named: readonly NamedId[]): Promise<void> {
    // In a history with its content, that another tenant has the same number is no reason to refuse.
    const checked = named.filter(({ id, hasContent }) => !hasContent || isUnique(id));
    if (checked.length === 0) return;
    if (checked.length > MAXIMUM_IDS) {
      throw new Problem('malformed_request', {
        detail: `The request names more than ${MAXIMUM_IDS} stored objects.`,
      });
    }
    // Another tenant's id is refused wherever it was made: the same account may have several addresses.
    const rows = await this.query<{ isOwn: boolean; isOthers: boolean }[]>(
      `select
         exists (select from stored_objects o where o.tenant_id = $1 and o.id_hash = n.id_hash
           and o.kind = n.kind and o.provider = $2 and o.host = $3) as "isOwn",
         exists (select from stored_objects o where o.tenant_id <> $1 and o.id_hash = n.id_hash) as "isOthers"
       from unnest($4::bytea[], $5::text[]) with ordinality as n (id_hash, kind, place)
       order by n.place`,
      [tenantId, provider.id, host, checked.map(({ id }) => hashOf(id)), checked.map(({ kind }) => kind)],
    );
    for (const [index, { id, param, hasContent }] of checked.entries()) {
      const { isOwn, isOthers } = rows[index]!;
      const isAllowed = hasContent || (this.config.foreignObjects === 'allow' && visible.test(id));
      if (!isOwn && (isOthers || !isAllowed)) throw objectNotFound(param);
    }
  }

  /** Fails when the database is unavailable, so that a provider makes nothing whose owner could not be recorded. */
  async confirmAvailable(): Promise<void> {
    await this.query('select 1', []);
  }

  /**
   * Records that the tenant owns these ids, except for those that another tenant has got from the same server before: a client that can
   * make a server repeat an id must not get the object. Resolves when that is committed.
   */
  async record({ tenantId, provider, host }: Owner, made: NewObjects): Promise<void> {
    const { model, areInConversation, isUsageDue } = made;
    const days = this.config.storedObjectDays;
    const isKept = (kind: ObjectKind) =>
      days === 0 || keptKinds.includes(kind) || (kind === 'item' && areInConversation);
    // In one order, so that two calls with the same ids cannot deadlock.
    const rows = made.ids
      .map(({ kind, id }) => ({ kind, hash: hashOf(id), isUnique: isUnique(id) }))
      .sort((a, b) => Buffer.compare(a.hash, b.hash));
    try {
      await this.query(
        `insert into stored_objects (tenant_id, id_hash, kind, provider, host, model, forget_at, is_usage_due)
         select $1, n.id_hash, n.kind, $2, $3, $4, case when n.is_kept then null else now() + make_interval(days => $5) end,
           $6 and n.kind = 'response'
         from unnest($7::bytea[], $8::text[], $9::boolean[], $10::boolean[]) as n (id_hash, kind, is_kept, is_unique)
         where not (n.is_unique and exists (select from stored_objects o where o.tenant_id <> $1 and o.id_hash = n.id_hash
           and o.kind = n.kind and o.provider = $2 and o.host = $3))
         on conflict do nothing`,
        [
          tenantId,
          provider.id,
          host,
          model,
          days,
          isUsageDue,
          rows.map(({ hash }) => hash),
          rows.map(({ kind }) => kind),
          rows.map(({ kind }) => isKept(kind)),
          rows.map((row) => row.isUnique),
        ],
      );
    } catch (error) {
      // The tenant was deleted while its call ran.
      if (sqlStateOf(error) === FOREIGN_KEY_VIOLATION)
        throw new Problem('tenant_not_found', { cause: error });
      throw error;
    }
  }

  /** The responses with this id that the tenant owns. There is more than one only if two servers made the same id. */
  ownedResponses(tenantId: string, id: string): Promise<OwnedResponse[]> {
    return this.query<OwnedResponse[]>(
      `select provider, host, model from stored_objects
       where tenant_id = $1 and id_hash = $2 and kind = 'response' order by created_at desc`,
      [tenantId, hashOf(id)],
    );
  }

  /** Takes the tokens of a response that was made in the background. @returns true once, for the first caller in all processes */
  async takeUsage({ tenantId, provider, host }: Owner, id: string): Promise<boolean> {
    const [, count] = await this.query<[unknown, number]>(
      `update stored_objects set is_usage_due = false
       where tenant_id = $1 and id_hash = $2 and kind = 'response' and provider = $3 and host = $4 and is_usage_due`,
      [tenantId, hashOf(id), provider.id, host],
    );
    return count === 1;
  }

  /** The provider has deleted the response. */
  async forgetResponse({ tenantId, provider, host }: Owner, id: string): Promise<void> {
    await this.query(
      `delete from stored_objects
       where tenant_id = $1 and id_hash = $2 and kind = 'response' and provider = $3 and host = $4`,
      [tenantId, hashOf(id), provider.id, host],
    );
  }

  private async query<T>(statement: string, parameters: unknown[]): Promise<T> {
    const result = await within(
      this.config.databaseTimeoutMs,
      this.dataSource.query<T>(statement, parameters),
    );
    if (result === undefined) throw new Error('timeout expired before the database responded');
    return result;
  }
}

const FOREIGN_KEY_VIOLATION = '23503';

function isUnique(id: string): boolean {
  return id.length >= SHORTEST_UNIQUE;
}

/** @param param the field or path parameter that names it */
export function objectNotFound(param: string | undefined): Problem {
  return new Problem('object_not_found', {
    detail: 'There is no such object, or it was not made by a call of this tenant.',
    param,
  });
}
