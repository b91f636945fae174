import { Alert, Button, Group, Stack } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { RequestFailed } from '../../../api/problem';
import { ProblemAlert } from '../../../parts/problem-alert';
import { type Provider, type StoredCredential } from '../credential-data';
import { OutcomeAlert } from '../outcomes';
import { forgetDraft, keepDraft, readDraft } from './draft';
import { KeyField, SettingField } from './form-fields';
import { fieldErrorsOf, type Putting, refusalOf } from './put-credential';

/** The fields that the API asks for. It checks them, and each fault is shown at its field. */
export function CredentialForm({
  tenantId,
  provider,
  live,
  putting: { form, key, put },
  submitLabel,
  cancel,
}: {
  tenantId: string;
  provider: Provider;
  live: StoredCredential | null;
  putting: Putting;
  submitLabel: string;
  cancel?: ReactNode;
}) {
  const [typed] = useState(() => readDraft(tenantId, provider.id));
  // A page that is loaded again does not come here, one that is left does.
  useEffect(() => () => forgetDraft(tenantId, provider.id), [tenantId, provider.id]);
  const { error, isPending } = put;
  const refusal = refusalOf(error);
  const faults = fieldErrorsOf(error, provider);
  const isAtFields = Object.keys(faults).length > 0;
  return (
    <form
      ref={form}
      noValidate
      onChange={(event) => {
        const texts = [...new FormData(event.currentTarget)].flatMap(([name, text]) =>
          typeof text === 'string' ? [[name, text] as const] : [],
        );
        keepDraft(tenantId, provider.id, Object.fromEntries(texts));
      }}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isPending) put.mutate();
      }}
    >
      <Stack>
        {!isPending && refusal !== undefined && (
          <OutcomeAlert outcome={refusal} provider={provider.label}>
            {error?.message}
          </OutcomeAlert>
        )}
        {!isPending && error !== null && refusal === undefined && !isAtFields && (
          <ProblemAlert error={error} />
        )}
        {!isPending && isAtFields && error instanceof RequestFailed && error.hint !== undefined && (
          <Alert color="red">{error.hint}</Alert>
        )}
        {provider.fields.map((field) =>
          field.secret ? (
            <KeyField key={field.name} field={field} error={faults[field.name]} input={key} />
          ) : (
            <SettingField
              key={field.name}
              field={field}
              error={faults[field.name]}
              provider={provider}
              live={live}
              typed={typed[field.name]}
            />
          ),
        )}
        <Group>
          <Button type="submit" loading={isPending}>
            {submitLabel}
          </Button>
          {cancel}
        </Group>
      </Stack>
    </form>
  );
}
