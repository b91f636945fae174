import { Group, Select, Text, TextInput } from '@mantine/core';
import { type Schemas } from '../../api/client';
import { useParameters } from '../../parts/parameters';

type Model = Schemas['CatalogueModelResponse'];

const names = ['search', 'kind', 'provider', 'hosting'] as const;
type Name = (typeof names)[number];
/** Empty texts: everything. */
export type Filter = Readonly<Record<Name, string>>;

/** Stands for a model that has none. */
const NONE = 'none';

/** The filter of the address. */
export function useFilter(): [Filter, (name: Name, value: string | null) => void] {
  const [parameters, change] = useParameters();
  const filter = Object.fromEntries(names.map((name) => [name, parameters.get(name) ?? ''])) as Record<
    Name,
    string
  >;
  const set = (name: Name, value: string | null) => change({ [name]: value });
  return [filter, set];
}

export function isShown(model: Model, { search, kind, provider, hosting }: Filter): boolean {
  const text = [model.name, model.nickname, model.upstream_model, model.deployment_name]
    .join(' ')
    .toLowerCase();
  return (
    text.includes(search.trim().toLowerCase()) &&
    (kind === '' || model.kind === kind) &&
    (provider === '' || (model.provider ?? NONE) === provider) &&
    (hosting === '' || (model.hosting ?? NONE) === hosting)
  );
}

export function Filters({
  models,
  shown,
  filter,
  set,
}: {
  models: readonly Model[];
  shown: number;
  filter: Filter;
  set: (name: Name, value: string | null) => void;
}) {
  const choice = (name: Exclude<Name, 'search'>, label: string) => (
    <Select
      label={label}
      placeholder="All"
      clearable
      data={[...new Set(models.map((model) => model[name] ?? NONE))].sort()}
      value={filter[name] === '' ? null : filter[name]}
      onChange={(value) => set(name, value)}
      flex="1 1 130px"
      maw={180}
    />
  );
  return (
    <Group mb="sm" align="end" gap="sm">
      <TextInput
        label="Search"
        placeholder="Name of a model"
        value={filter.search}
        onChange={(event) => set('search', event.currentTarget.value)}
      />
      {choice('kind', 'Kind')}
      {choice('provider', 'Provider')}
      {choice('hosting', 'Hosting')}
      <Text size="sm" c="dimmed" role="status" pb={8}>
        {shown === models.length ? `${shown} models` : `${shown} of ${models.length} models`}
      </Text>
    </Group>
  );
}
