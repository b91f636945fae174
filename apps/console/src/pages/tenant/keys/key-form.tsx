import { Group, NumberInput, TagsInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, type Schemas } from '../../../api/client';
import { useSession } from '../../../api/session';
import { fieldErrors } from '../../../parts/forms/fields';
import { Form, type FormFrame } from '../../../parts/forms/form';
import { localTime } from './local-time';

type Request = Schemas['CreateTenantKeyRequest'];

const limitField = { placeholder: 'No limit', min: 1, allowDecimal: false, thousandSeparator: ' ' } as const;

/** The name, expiry and limits of a tenant key. */
export function KeyForm({
  tenantId,
  before,
  onSubmit,
  ...frame
}: {
  tenantId: string;
  /** Absent: a new key. */
  before?: Schemas['TenantKeyResponse'];
  onSubmit: (body: Request) => void;
} & FormFrame) {
  const [name, setName] = useState(before?.name ?? '');
  const [expiry, setExpiry] = useState(localTime(before?.expires_at ?? null));
  const [models, setModels] = useState(before?.allowed_models ?? []);
  const [requests, setRequests] = useState<number | string>(before?.requests_per_minute ?? '');
  const [tokens, setTokens] = useState<number | string>(before?.tokens_per_minute ?? '');
  const errors = fieldErrors(frame.request.error);
  const catalogue = useModelNames(tenantId);
  const submit = () => {
    // The field has no seconds. An expiry that was left as it is stays exactly the same, even if it has passed.
    const isSameExpiry = before !== undefined && expiry === localTime(before.expires_at);
    onSubmit({
      name: name.trim(),
      expires_at: isSameExpiry ? before.expires_at : expiry === '' ? null : new Date(expiry).toISOString(),
      allowed_models: models.length === 0 ? null : models,
      requests_per_minute: requests === '' ? null : Number(requests),
      tokens_per_minute: tokens === '' ? null : Number(tokens),
    });
  };
  return (
    <Form {...frame} onSubmit={submit}>
      <TextInput
        label="Name"
        description="Says which application uses the key."
        placeholder="chat assistant"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={errors.name}
        required
        maxLength={100}
        autoComplete="off"
        data-autofocus
      />
      <TextInput
        type="datetime-local"
        label="Expires"
        description="In the time zone of this browser. Empty: it does not expire."
        value={expiry}
        onChange={(event) => setExpiry(event.currentTarget.value)}
        error={errors.expires_at}
      />
      <TagsInput
        label="Models"
        description="Calls to other models are refused."
        placeholder={models.length === 0 ? 'All' : undefined}
        data={catalogue}
        value={models}
        onChange={setModels}
        error={errors.allowed_models}
        clearable
        acceptValueOnBlur
      />
      <Group grow align="flex-start">
        <NumberInput
          label="Requests a minute"
          value={requests}
          onChange={setRequests}
          error={errors.requests_per_minute}
          max={1_000_000}
          {...limitField}
        />
        <NumberInput
          label="Tokens a minute"
          value={tokens}
          onChange={setTokens}
          error={errors.tokens_per_minute}
          max={1_000_000_000}
          {...limitField}
        />
      </Group>
    </Form>
  );
}

/** As suggestions; the API also accepts models that the catalogue does not have yet. */
function useModelNames(tenantId: string): string[] {
  const session = useSession();
  const { data } = api.useQuery(
    'get',
    '/api/v1/sysadmin/tenants/{tenant_id}/models',
    { params: { path: { tenant_id: tenantId } } },
    { enabled: session.can('credentials:read') },
  );
  return data?.models.map(({ name }) => name) ?? [];
}
