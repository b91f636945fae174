import { Autocomplete, Button, Group, Select, SimpleGrid, TextInput } from '@mantine/core';
import { useSession } from '../../api/session';
import { actionChoicesWith } from '../../parts/audit/actions';
import { tenantChoices } from '../../parts/audit/tenant-names';
import { type FilterName, filterNames, type FilterState } from './audit-filter';

/** @param actors those of the events that are shown, to choose from */
export function Filters({
  state,
  tenantNames,
  actors,
}: {
  state: FilterState;
  tenantNames: ReadonlyMap<string, string>;
  actors: readonly string[];
}) {
  const { filter, set, clear } = state;
  const session = useSession();
  const isFiltered = filterNames.some((name) => filter[name] !== '');
  return (
    <search aria-label="Filters">
      <SimpleGrid cols={{ base: 1, xs: 2, sm: 3 }} spacing="sm" mb="sm">
        {session.can('tenants:read') ? (
          <Select
            label="Tenant"
            placeholder="Every tenant"
            data={withTenant(tenantNames, filter.tenant_id)}
            value={filter.tenant_id || null}
            onChange={(value) => set('tenant_id', value)}
            searchable
            selectFirstOptionOnChange
            clearable
            limit={100}
            nothingFoundMessage="No tenant has such a name."
          />
        ) : (
          <TypedFilter label="Tenant" placeholder="Id of a tenant" name="tenant_id" state={state} />
        )}
        <Select
          label="Action"
          placeholder="Every action"
          data={actionChoicesWith(filter.action)}
          value={filter.action || null}
          onChange={(value) => set('action', value)}
          searchable
          selectFirstOptionOnChange
          clearable
          nothingFoundMessage="No action has such a name."
        />
        <Select
          label="Outcome"
          placeholder="Done and refused"
          data={[
            { value: 'done', label: 'Done' },
            { value: 'refused', label: 'Refused' },
          ]}
          value={filter.outcome || null}
          onChange={(value) => set('outcome', value)}
          clearable
        />
        <Actor state={state} actors={[...new Set([session.actor, ...actors])]} />
        <TextInput
          label="From"
          type="date"
          value={asDay(filter.since)}
          max={asDay(filter.until)}
          onChange={(event) => set('since', event.currentTarget.value)}
        />
        <TextInput
          label="Until (inclusive)"
          type="date"
          value={asDay(filter.until)}
          min={asDay(filter.since)}
          onChange={(event) => set('until', event.currentTarget.value)}
        />
      </SimpleGrid>
      {isFiltered && (
        <Group mb="sm">
          <Button size="compact-sm" variant="default" onClick={clear}>
            Clear the filters
          </Button>
        </Group>
      )}
    </search>
  );
}

/** An actor is compared as a whole, so the list changes when the text is complete: at Enter, a choice, or when the field is left. */
function Actor({ state: { filter, set }, actors }: { state: FilterState; actors: string[] }) {
  return (
    <Autocomplete
      key={filter.actor}
      label="Actor"
      placeholder="Everyone"
      data={actors}
      defaultValue={filter.actor}
      clearable
      onOptionSubmit={(value) => set('actor', value)}
      onClear={() => set('actor', null)}
      onBlur={(event) => set('actor', event.currentTarget.value.trim())}
      onKeyDown={(event) => {
        if (event.key === 'Enter') set('actor', event.currentTarget.value.trim());
      }}
    />
  );
}

function TypedFilter({
  label,
  placeholder,
  name,
  state: { filter, set },
}: {
  label: string;
  placeholder: string;
  name: FilterName;
  state: FilterState;
}) {
  return (
    <TextInput
      key={filter[name]}
      label={label}
      placeholder={placeholder}
      defaultValue={filter[name]}
      onBlur={(event) => set(name, event.currentTarget.value.trim())}
      onKeyDown={(event) => {
        if (event.key === 'Enter') set(name, event.currentTarget.value.trim());
      }}
    />
  );
}

/** With the tenant of the address, which may be deleted. */
function withTenant(names: ReadonlyMap<string, string>, id: string): { value: string; label: string }[] {
  const choices = tenantChoices(names);
  return id === '' || names.has(id) ? choices : [...choices, { value: id, label: id }];
}

/** Of the texts that the address can have, the field shows only days. */
function asDay(text: string): string {
  return /^\d{4}-\d\d-\d\d$/.test(text) ? text : '';
}
