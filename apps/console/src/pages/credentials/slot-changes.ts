import { useMutation } from '@tanstack/react-query';
import { client, type Schemas } from '../../api/client';
import { useRefresh } from '../../api/session';
import { type Outcome } from './credential-data';

/** A step that takes no key. */
export type Change =
  | { readonly kind: 'verify'; readonly slot: Schemas['Slot'] }
  /** Of this version only: another sysadmin may stage another one meanwhile. */
  | { readonly kind: 'promote'; readonly version: string }
  | { readonly kind: 'rollback' }
  | { readonly kind: 'discard'; readonly slot: Schemas['InactiveSlot'] }
  | { readonly kind: 'delete' };

/** What the API says about a change that it has made. */
export interface ChangeResult {
  readonly message: string;
  readonly outcome?: Outcome;
  /** In how many processes it is in force. */
  readonly processes?: number;
}

/** Makes a change, and then shows the state after it. @param onDone is called before the state is read again */
export function useChange(
  tenantId: string,
  provider: string,
  onDone?: (result: ChangeResult, change: Change) => void,
) {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (change: Change) => send(tenantId, provider, change),
    onSuccess: onDone,
    // Also after a failure: another sysadmin may have changed something.
    onSettled: refresh,
  });
}

export type Changing = ReturnType<typeof useChange>;

async function send(tenantId: string, provider: string, change: Change): Promise<ChangeResult> {
  const path = { tenant_id: tenantId, provider };
  const credential = '/api/v1/sysadmin/tenants/{tenant_id}/credentials/{provider}';
  switch (change.kind) {
    case 'verify': {
      const query = { slot: change.slot };
      const { data } = await client.POST(`${credential}/verify`, { params: { path, query } });
      return { message: data?.message ?? '', outcome: data?.outcome };
    }
    case 'promote': {
      const query = { version: change.version };
      return resultOf(await client.POST(`${credential}/promote`, { params: { path, query } }));
    }
    case 'rollback':
      return resultOf(await client.POST(`${credential}/rollback`, { params: { path } }));
    case 'discard':
      return resultOf(await client.DELETE(credential, { params: { path, query: { slot: change.slot } } }));
    case 'delete':
      return resultOf(await client.DELETE(credential, { params: { path } }));
  }
}

function resultOf({ data, response }: { data?: { message: string }; response: Response }): ChangeResult {
  return { message: data?.message ?? '', processes: processesOf(response) };
}

/** A change that calls must notice responds only when every process has noticed it, and names how many those are. */
export function processesOf(response: Response): number | undefined {
  const [, count] = /^processes=(\d+)/.exec(response.headers.get('x-tenkey-in-force') ?? '') ?? [];
  return count === undefined ? undefined : Number(count);
}
