import { useQuery } from '@tanstack/react-query';
import { client } from '../../api/client';
import { type Scope } from '../../api/session';
import { type AuditEvent } from '../../parts/audit/audit-words';

const DAYS = 7;
/** The list cannot be narrowed to all super keys, so at most this many events of the week are looked through. */
const PAGES = 5;
const PAGE = 1000;

/** What one super key did from one address. */
export interface SuperKeyUser {
  readonly actor: string;
  readonly address: string;
  readonly events: readonly AuditEvent[];
}

export interface SuperKeyUse {
  /** Those who used it for more than what only a super key can do; the latest first. */
  readonly users: readonly SuperKeyUser[];
  /** How often it was used for that. */
  readonly events: number;
  /** The scopes with which a sysadmin key could have done the same. */
  readonly scopes: readonly Scope[];
  /** False: there were more events in the week than were looked through. */
  readonly isComplete: boolean;
  /** The beginning of the week, as a filter of the audit. */
  readonly since: string;
}

/** For what the super key was used in the last seven days. */
export function useSuperKeyUse() {
  return useQuery({
    queryKey: ['use of the super key'],
    queryFn: async (): Promise<SuperKeyUse> => {
      const since = new Date(Date.now() - DAYS * 86_400_000).toISOString();
      const found: AuditEvent[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < PAGES; page += 1) {
        const params = { query: { since, cursor, limit: PAGE } };
        const { data } = await client.GET('/api/v1/sysadmin/audit-events', { params });
        found.push(...(data?.items ?? []).filter(isAvoidable));
        cursor = data?.next_cursor ?? undefined;
        if (cursor === undefined) break;
      }
      return {
        users: usersOf(found),
        events: found.length,
        scopes: [...new Set(found.flatMap(scopeFor))],
        isComplete: cursor === undefined,
        since,
      };
    },
  });
}

/** Only the super key can manage sysadmin keys, and for that it has to sign in. */
function isAvoidable({ actor, action }: AuditEvent): boolean {
  if (!actor.startsWith('super-key ')) return false;
  const isSession = action.startsWith('session.') || action.endsWith('/session');
  return !isSession && !action.startsWith('sysadmin-key.') && !/\/sysadmin\/keys(\/|$)/.test(action);
}

function usersOf(events: readonly AuditEvent[]): SuperKeyUser[] {
  const users = new Map<string, AuditEvent[]>();
  for (const event of events) {
    const user = `${event.actor} ${event.address}`;
    users.set(user, [...(users.get(user) ?? []), event]);
  }
  return [...users.values()].map((all) => ({ actor: all[0]!.actor, address: all[0]!.address, events: all }));
}

const scopesByAction: readonly (readonly [string, Scope])[] = [
  ['tenant.', 'tenants:write'],
  ['credential.', 'credentials:write'],
  ['key.', 'keys:write'],
  ['encryption.', 'encryption:rotate'],
];

/** Refused attempts changed nothing, so they need no scope. */
function scopeFor({ action, outcome }: AuditEvent): Scope[] {
  if (outcome === 'refused') return [];
  return scopesByAction.filter(([start]) => action.startsWith(start)).map(([, scope]) => scope);
}
