import { Alert, Checkbox, MultiSelect, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { type Schemas } from '../../api/client';
import { type Scope } from '../../api/session';
import { dayOf, endOfDay } from '../../parts/audit/days';
import { tenantChoices } from '../../parts/audit/tenant-names';
import { fieldErrors } from '../../parts/forms/fields';
import { Form, type FormFrame } from '../../parts/forms/form';
import { type SysadminKey } from './key-facts';
import { inWords, labelOf, scopeWords } from './scope-words';

export type KeyFields = Schemas['CreateSysadminKeyRequest'];

/** The fields of a sysadmin key, for a new one and for a change. */
export function KeyForm({
  before,
  suggested = [],
  tenantNames,
  onSubmit,
  ...frame
}: {
  /** The key that is changed; undefined: a new one. */
  before?: SysadminKey;
  /** The scopes that a new key starts with. */
  suggested?: readonly Scope[];
  tenantNames: ReadonlyMap<string, string>;
  onSubmit: (fields: KeyFields) => void;
} & FormFrame) {
  const errors = fieldErrors(frame.request.error);
  const [name, setName] = useState(before?.name ?? '');
  const [scopes, setScopes] = useState<Scope[]>([...(before?.scopes ?? suggested)]);
  const [tenants, setTenants] = useState<string[]>([...(before?.tenant_ids ?? [])]);
  const [day, setDay] = useState(before === undefined ? inOneYear() : dayOf(before.expires_at));
  const isBlind =
    scopes.some((scope) => scope.endsWith(':write')) && !seen.every((scope) => scopes.includes(scope));
  const lost = before?.scopes.filter((scope) => !scopes.includes(scope)) ?? [];
  const submit = () => {
    // A day that was not touched keeps its time, so that the change does not move it.
    const expiresAt =
      before !== undefined && day === dayOf(before.expires_at) ? before.expires_at : endOfDay(day);
    onSubmit({
      name: name.trim(),
      scopes,
      tenant_ids: tenants.length === 0 ? null : tenants,
      expires_at: expiresAt,
    });
  };
  return (
    <Form {...frame} isReady={name.trim() !== '' && scopes.length > 0} onSubmit={submit}>
      <TextInput
        label="Name"
        description="It says whose key it is, here and in the audit."
        placeholder="billing job"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={errors.name}
        maxLength={100}
        required
        autoComplete="off"
        data-autofocus
      />
      <Checkbox.Group
        label="What it may do"
        description="As little as its holder needs. Managing sysadmin keys stays with the super key."
        value={scopes}
        onChange={(value) => setScopes(value)}
        error={errors.scopes}
        required
      >
        <Stack gap="xs" mt="xs">
          {scopeWords.map(({ scope, label, opens }) => (
            <Checkbox
              key={scope}
              value={scope}
              label={`${label[0]?.toUpperCase()}${label.slice(1)}`}
              description={`${opens} (${scope})`}
            />
          ))}
        </Stack>
      </Checkbox.Group>
      {isBlind && (
        <Alert color="gray">
          <Text size="sm">
            To find tenants in this console, its holder also needs {inWords(seen)}. A job that knows its
            tenants does not.
          </Text>
        </Alert>
      )}
      <MultiSelect
        label="For which tenants"
        description="With none chosen, it is for all tenants, also those that are created later."
        placeholder={tenants.length === 0 ? 'All tenants' : undefined}
        data={withDeleted(tenantNames, tenants)}
        value={tenants}
        onChange={setTenants}
        error={errors.tenant_ids}
        searchable
        selectFirstOptionOnChange
        clearable
        limit={100}
        maxValues={1000}
        nothingFoundMessage="No tenant has such a name."
      />
      <TextInput
        label="Works until the end of"
        description={
          day === ''
            ? 'It never expires. Prefer an end, at least for the key of a person.'
            : 'After that day it opens nothing. Without a day it never expires.'
        }
        type="date"
        value={day}
        min={before === undefined ? dayOf(new Date().toISOString()) : undefined}
        onChange={(event) => setDay(event.currentTarget.value)}
        error={errors.expires_at}
      />
      {lost.length > 0 && (
        <Alert color="yellow">
          <Text size="sm">
            It will no longer {lost.map(labelOf).join(' or ')}. Its sessions in the console end.
          </Text>
        </Alert>
      )}
    </Form>
  );
}

/** What the page of the tenants reads. */
const seen: readonly Scope[] = ['tenants:read', 'credentials:read'];

function inOneYear(): string {
  const date = new Date();
  date.setFullYear(date.getFullYear() + 1);
  return dayOf(date.toISOString());
}

/** A tenant of the key that the list does not have stays chosen under its id. */
function withDeleted(names: ReadonlyMap<string, string>, ids: readonly string[]) {
  const unknown = ids.filter((id) => !names.has(id)).map((id) => ({ value: id, label: id }));
  return [...tenantChoices(names), ...unknown];
}
