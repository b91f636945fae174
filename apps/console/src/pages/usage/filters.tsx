import { Box, Group, SegmentedControl, Select, Stack, Text } from '@mantine/core';
import { keepPreviousData } from '@tanstack/react-query';
import { type ReactNode, useId } from 'react';
import { quantities } from '../../parts/plots/plot-data';
import { DayFields } from '../../parts/usage/day-fields';
import { useDays } from '../../parts/usage/usage-data';
import { type Days, faultOf } from '../../parts/usage/utc-days';
import { type RangeName, ranges } from './range';
import { groups, type View, type ViewChange } from './view';

/** What the plot and the table show. */
export function Filters({ view, change }: { view: View; change: (change: ViewChange) => void }) {
  const { range, by, quantity, tenant, provider, model } = view;
  // Only what had calls in this time can be chosen.
  const options = { placeholderData: keepPreviousData, enabled: faultOf(range.days) === undefined };
  const tenants = useDays(range.days, 'tenant', {}, options).data?.items ?? [];
  const models = useDays(range.days, 'provider,model', {}, options).data?.items ?? [];
  return (
    <Stack gap="sm" mb="md">
      <Group align="end" gap="sm">
        <Choice label="Time">
          {(labelId) => (
            <SegmentedControl
              aria-labelledby={labelId}
              data={Object.entries(ranges).map(([value, { label }]) => ({ value, label }))}
              value={range.name}
              onChange={(value) => change(rangeChange(value as RangeName, range.days))}
              size="xs"
            />
          )}
        </Choice>
        {range.name === 'own' && <DayFields days={range.days} onChange={change} />}
      </Group>
      <Group align="end" gap="sm">
        <Choice label="Group by">
          {(labelId) => (
            <SegmentedControl
              aria-labelledby={labelId}
              data={Object.entries(groups).map(([value, label]) => ({ value, label }))}
              value={by}
              onChange={(value) => change({ by: value })}
              size="sm"
            />
          )}
        </Choice>
        <Select
          label="Show"
          data={Object.entries(quantities).map(([value, label]) => ({ value, label }))}
          value={quantity}
          allowDeselect={false}
          onChange={(value) => change({ what: value })}
          flex="1 1 130px"
          maw={180}
        />
        <Filter
          label="Tenant"
          value={tenant}
          options={tenants.map(({ tenant_id: id = '', tenant_name: name }) => [id, name ?? id])}
          onChange={(value) => change({ tenant: value })}
        />
        <Filter
          label="Provider"
          value={provider}
          options={models.map(({ provider: name = '' }) => [name, name])}
          onChange={(value) => change({ provider: value })}
        />
        <Filter
          label="Model"
          value={model}
          options={models.map(({ model: name = '' }) => [name, name])}
          onChange={(value) => change({ model: value })}
        />
      </Group>
    </Stack>
  );
}

/** Custom days begin as those that were shown. */
function rangeChange(name: RangeName, days: Days): ViewChange {
  return name === 'own' ? { range: name, ...days } : { range: name, since: null, until: null };
}

function Choice({ label, children }: { label: string; children: (labelId: string) => ReactNode }) {
  const id = useId();
  return (
    <Stack gap={2} maw="100%">
      <Text size="sm" fw={600} id={id}>
        {label}
      </Text>
      <Box style={{ overflowX: 'auto' }}>{children(id)}</Box>
    </Stack>
  );
}

function Filter({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: string | undefined;
  options: readonly (readonly [value: string, label: string])[];
  onChange: (value: string | null) => void;
}) {
  const labels = new Map(options);
  // An address may name something that had no calls in this time.
  if (value !== undefined && !labels.has(value)) labels.set(value, value);
  const data = [...labels].map(([each, text]) => ({ value: each, label: text }));
  return (
    <Select
      label={label}
      placeholder="All"
      searchable
      clearable
      nothingFoundMessage="None with calls in this time"
      data={data.sort((a, b) => a.label.localeCompare(b.label))}
      value={value ?? null}
      onChange={onChange}
      flex="1 1 150px"
      maw={220}
    />
  );
}
