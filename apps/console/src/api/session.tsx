import { QueryClient, QueryClientProvider, useQueryClient } from '@tanstack/react-query';
import {
  createContext,
  type ReactNode,
  use,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
} from 'react';
import { client, type Schemas } from './client';
import { RequestFailed } from './problem';

export type Session = Schemas['SessionResponse'];
export type Scope = Schemas['Scope'];

interface SessionState {
  /** Undefined: nobody has signed in, or the session has ended. */
  readonly session: Session | undefined;
  /** Why there is no session any more; undefined if there was none. */
  readonly ended: string | undefined;
  /** Exchanges the key for a session. The key is not kept. @throws RequestFailed */
  readonly signIn: (key: string) => Promise<void>;
  readonly signOut: () => Promise<void>;
}

const SessionContext = createContext<SessionState | undefined>(undefined);

/** The server puts into the page whether the browser sent the cookie of a session, which this code cannot read. */
const hasCookie = document.querySelector<HTMLMetaElement>('meta[name="session"]')?.content === 'yes';

/** @returns undefined if the cookie is of a session that has ended */
export async function findSession(): Promise<Session | undefined> {
  if (!hasCookie) return undefined;
  try {
    return (await client.GET('/api/v1/sysadmin/session')).data;
  } catch (error) {
    if (error instanceof RequestFailed && error.status === 401) return undefined;
    throw error;
  }
}

/** Provides the session, and the cache of what was read with it, which is emptied when it ends. */
export function SessionProvider({
  found,
  children,
}: {
  found: Promise<Session | undefined>;
  children: ReactNode;
}) {
  const [session, setSession] = useState(use(found));
  const [ended, setEnded] = useState<string>();
  const [queries] = useState(newQueryClient);
  const end = useCallback(
    (reason: string | undefined) => {
      setSession(undefined);
      setEnded(reason);
      queries.clear();
    },
    [queries],
  );
  useEffect(() => {
    const caches = [queries.getQueryCache(), queries.getMutationCache()];
    const unsubscribe = caches.map((cache) =>
      cache.subscribe((event) => {
        if (event.type !== 'updated' || event.action.type !== 'error') return;
        const { error } = event.action as { error: unknown };
        if (error instanceof RequestFailed && error.code === 'unauthenticated')
          end('Your session has ended. Sign in again to go on where you were.');
      }),
    );
    return () => unsubscribe.forEach((stop) => stop());
  }, [queries, end]);
  const state = useMemo<SessionState>(
    () => ({
      session,
      ended,
      async signIn(key) {
        const { data } = await client.POST('/api/v1/sysadmin/session', { headers: { 'X-API-Key': key } });
        setEnded(undefined);
        setSession(data);
      },
      async signOut() {
        await client.DELETE('/api/v1/sysadmin/session');
        end(undefined);
      },
    }),
    [session, ended, end],
  );
  return (
    <SessionContext value={state}>
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </SessionContext>
  );
}

export function useSessionState(): SessionState {
  const state = useContext(SessionContext);
  if (state === undefined) throw new Error('useSessionState is used outside SessionProvider');
  return state;
}

/** The session, for everything that is shown only after signing in. */
export function useSession(): Session & { can: (scope: Scope) => boolean } {
  const { session } = useSessionState();
  if (session === undefined) throw new Error('useSession is used before signing in');
  return { ...session, can: (scope) => session.scopes.includes(scope) };
}

/** Discards what was read, so that every page shows the state after a change. */
export function useRefresh(): () => Promise<void> {
  const queries = useQueryClient();
  return useCallback(() => queries.invalidateQueries(), [queries]);
}

function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        // A refusal stays one when it is repeated; an outage may pass.
        retry: (failures, error) =>
          failures < 2 && !(error instanceof RequestFailed && isRefusal(error.status)),
      },
    },
  });
}

function isRefusal(status: number): boolean {
  return status >= 400 && status < 500;
}
