import { TagsInput, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { type Schemas } from '../../api/client';
import { fieldErrors, textOrNull } from '../../parts/forms/fields';
import { Form, type FormFrame } from '../../parts/forms/form';
import { useProviders } from '../credentials/credential-data';

type Fields = Required<Omit<Schemas['SetTenantRequest'], 'state'>>;
type ListField = 'expected_providers' | 'allowed_providers' | 'allowed_hosting' | 'egress_allow';

const empty: Fields = {
  name: '',
  display_name: null,
  contact_email: null,
  expected_providers: null,
  allowed_providers: null,
  allowed_hosting: null,
  egress_allow: null,
};

/** The fields of a tenant. It is submitted with those that were changed. */
export function TenantForm({
  before = empty,
  onSubmit,
  children,
  ...frame
}: {
  before?: Fields;
  onSubmit: (changes: Partial<Fields>) => void;
  /** Further fields. */
  children?: ReactNode;
} & FormFrame) {
  const [fields, setFields] = useState(before);
  const errors = fieldErrors(frame.request.error);
  // Suggestions and no fixed choice: a session that may not list them types them, and the API refuses what it does not know.
  const providers = useProviders().data?.map(({ id }) => id);
  const set = (changes: Partial<Fields>) => setFields((now) => ({ ...now, ...changes }));
  const list = (name: ListField, anyMeans: string) => ({
    value: fields[name] ?? [],
    // An empty list allows nothing and a missing one anything. Only the API makes the former, and it stays unless it is changed.
    onChange: (values: string[]) =>
      set({ [name]: values.length > 0 ? values : before[name]?.length === 0 ? [] : null }),
    placeholder: fields[name]?.length ? undefined : fields[name] === null ? anyMeans : 'None',
    error: errors[name],
    clearable: true,
    acceptValueOnBlur: true,
  });
  return (
    <Form {...frame} onSubmit={() => onSubmit(changesOf(before, fields))}>
      <TextInput
        label="Name"
        description="Short, and different from that of every other tenant."
        value={fields.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
        error={errors.name}
        required
        maxLength={200}
        data-autofocus
        autoComplete="off"
      />
      <TextInput
        label="Display name"
        value={fields.display_name ?? ''}
        onChange={(event) => set({ display_name: event.currentTarget.value })}
        error={errors.display_name}
        maxLength={500}
        autoComplete="off"
      />
      <TextInput
        label="Contact"
        description="A shared mailbox for alerts about its credentials, not a person's. Tenkey sends no mail."
        type="email"
        value={fields.contact_email ?? ''}
        onChange={(event) => set({ contact_email: event.currentTarget.value })}
        error={errors.contact_email}
        maxLength={254}
        autoComplete="off"
      />
      {children}
      <TagsInput
        label="Expected providers"
        description="Today and the readiness report name those that it has no credential for."
        data={providers}
        {...list('expected_providers', 'Those that it has a credential for')}
      />
      <TagsInput
        label="Allowed providers"
        description="Calls to other providers are refused."
        data={providers}
        {...list('allowed_providers', 'Any')}
      />
      <TagsInput
        label="Allowed hosting"
        description="As the model catalogue writes it. Calls to models hosted elsewhere, or without hosting, are refused."
        data={['swe', 'eu', 'usa']}
        {...list('allowed_hosting', 'Any')}
      />
      <TagsInput
        label="Allowed private addresses"
        description="That its endpoints may have although EGRESS_PRIVATE=deny refuses them, such as 10.20.0.0/16:8000 or vllm.internal:*."
        {...list('egress_allow', 'None but those of EGRESS_ALLOW')}
      />
    </Form>
  );
}

function changesOf(before: Fields, fields: Fields): Partial<Fields> {
  const sent: Fields = {
    ...fields,
    name: fields.name.trim(),
    display_name: textOrNull(fields.display_name ?? ''),
    contact_email: textOrNull(fields.contact_email ?? ''),
  };
  return Object.fromEntries(
    Object.entries(sent).filter(
      ([field, value]) => JSON.stringify(value) !== JSON.stringify(before[field as keyof Fields]),
    ),
  );
}
