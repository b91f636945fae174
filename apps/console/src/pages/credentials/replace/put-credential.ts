import { useMutation } from '@tanstack/react-query';
import { useRef } from 'react';
import { client, type Schemas } from '../../../api/client';
import { RequestFailed } from '../../../api/problem';
import { useRefresh } from '../../../api/session';
import { type Outcome, type Provider } from '../credential-data';
import { outcomes } from '../outcomes';
import { processesOf } from '../slot-changes';
import { forgetDraft } from './draft';

export type Stored = Schemas['SetCredentialResponse'] & { readonly processes?: number };

/**
 * Sends what the form holds. The key is read from its input when it is sent: a variable of the mutation would stay in its cache.
 * @param isStaged false: it is live at once
 */
export function usePutCredential(
  tenantId: string,
  provider: Provider,
  isStaged: boolean,
  onStored: (stored: Stored) => void,
) {
  const refresh = useRefresh();
  const form = useRef<HTMLFormElement>(null);
  const key = useRef<HTMLInputElement>(null);
  const put = useMutation({
    gcTime: 0,
    // Without a network it fails at once, and does not wait with a key.
    networkMode: 'always',
    mutationFn: async (): Promise<Stored> => {
      const { data, response } = await client.PUT(
        '/api/v1/sysadmin/tenants/{tenant_id}/credentials/{provider}',
        {
          params: {
            path: { tenant_id: tenantId, provider: provider.id },
            query: { stage: isStaged, verify: provider.verifiable },
          },
          body: bodyOf(provider, form.current, key.current),
        },
      );
      return { ...data!, processes: processesOf(response) };
    },
    onSuccess: async (stored) => {
      clear(key.current);
      forgetDraft(tenantId, provider.id);
      await refresh();
      onStored(stored);
    },
    onError: async (error) => {
      if (!canBeSentAgain(error)) clear(key.current);
      const faulty = Object.keys(fieldErrorsOf(error, provider))[0];
      const field =
        faulty === undefined ? undefined : form.current?.querySelector<HTMLElement>(`#field-${faulty}`);
      (field ?? key.current)?.focus();
      // It may have been stored although no response arrived.
      await refresh();
    },
  });
  return { form, key, put };
}

export type Putting = ReturnType<typeof usePutCredential>;

/** The provider's answer about a key that it refused, so that nothing was stored. */
export function refusalOf(error: unknown): Outcome | undefined {
  if (!(error instanceof RequestFailed) || error.code !== 'credential_validation_failed') return undefined;
  const message = error.problem?.errors?.find(({ path }) => path === 'api_key')?.message;
  const [, outcome = ''] = /the provider's response means (\w+)$/.exec(message ?? '') ?? [];
  return Object.hasOwn(outcomes, outcome) ? (outcome as Outcome) : undefined;
}

/** What the API found wrong with each field, by its name. */
export function fieldErrorsOf(error: unknown, { id, fields }: Provider): Readonly<Record<string, string>> {
  if (!(error instanceof RequestFailed) || refusalOf(error) !== undefined) return {};
  const found: Record<string, string> = {};
  for (const { path, message } of error.problem?.errors ?? []) {
    const field = fields.find(({ name }) => path === name || path.startsWith(`${name}.`));
    if (field === undefined || field.name in found) continue;
    // "openai: endpoint must be ..." is said below the field that has this label.
    const text = message.startsWith(`${id}: `) ? message.slice(id.length + 2) : message;
    found[field.name] = text.startsWith(`${field.name} `)
      ? field.label + text.slice(field.name.length)
      : text;
  }
  return found;
}

/** Whether the same key can be sent again, when another field is corrected or the service responds again. */
function canBeSentAgain(error: unknown): boolean {
  if (!(error instanceof RequestFailed)) return false;
  if (error.status === 0 || error.status === 429 || error.status >= 500) return true;
  const errors = error.problem?.errors ?? [];
  return error.status === 422 && errors.length > 0 && errors.every(({ path }) => path !== 'api_key');
}

function clear(key: HTMLInputElement | null): void {
  if (key === null) return;
  key.value = '';
  // The field masks what is typed next.
  key.dispatchEvent(new Event('input', { bubbles: true }));
}

/** Fields that are left empty are left out. */
function bodyOf(
  { fields }: Provider,
  form: HTMLFormElement | null,
  key: HTMLInputElement | null,
): { api_key: string } & Record<string, unknown> {
  const data = new FormData(form ?? undefined);
  const body: { api_key: string } & Record<string, unknown> = { api_key: key?.value.trim() ?? '' };
  for (const { name, type, secret } of fields) {
    const given = data.get(name);
    const text = typeof given === 'string' ? given.trim() : '';
    if (secret || text === '') continue;
    body[name] = type === 'map' ? mapOf(text) : text;
  }
  return body;
}

/** Reads `name=text` lines. A line without a text gets an empty one, which the API refuses. */
function mapOf(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', ...rest] = line.split('=');
      return [name.trim(), rest.join('=').trim()];
    }),
  );
}

/** The lines that `mapOf` reads. */
export function linesOf(map: unknown): string {
  if (typeof map !== 'object' || map === null) return '';
  return Object.entries(map)
    .map(([name, text]) => `${name}=${String(text)}`)
    .join('\n');
}
