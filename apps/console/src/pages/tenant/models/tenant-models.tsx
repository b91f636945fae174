import { Alert, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { api, type Schemas } from '../../../api/client';
import { Empty, Loaded } from '../../../parts/loaded';
import { useParameters } from '../../../parts/parameters';
import { ModelCard } from './model-card';

type Explained = Schemas['ExplainedModelsResponse'];
type Model = Schemas['ExplainedModelResponse'];

/** Where each call would go, and whose key would pay. */
export function TenantModels({ tenantId }: { tenantId: string }) {
  const query = api.useQuery('get', '/api/v1/sysadmin/tenants/{tenant_id}/models', {
    params: { path: { tenant_id: tenantId } },
  });
  return <Loaded query={query}>{(explained) => <Models explained={explained} />}</Loaded>;
}

const states = {
  failing: 'Failing',
  warnings: 'With warnings',
  ready: 'Ready',
} as const;

function Models({ explained: { tenant_id: tenantId, models, mode } }: { explained: Explained }) {
  const [parameters, change] = useParameters();
  const search = parameters.get('search') ?? '';
  const state = parameters.get('state') ?? '';
  const set = (name: string, value: string | null) => change({ [name]: value });
  if (models.length === 0) {
    return <Empty title="No models">The model catalogue is empty, so no call can name a model.</Empty>;
  }
  const shown = models.filter((model) => isShown(model, search, state)).sort(byUrgency);
  return (
    <Stack>
      <Alert color="gray" title={summaryOf(models)}>
        {mode === 'strict'
          ? 'Strict mode: a call uses the credential that is shown here, or fails. No other key is tried.'
          : "Single-tenant mode: the operator's global keys pay for all tenants."}
      </Alert>
      <Group align="end">
        <TextInput
          label="Search"
          placeholder="Model, provider, host or mask"
          w={260}
          value={search}
          onChange={(event) => set('search', event.currentTarget.value)}
        />
        <Select
          label="State"
          placeholder="Every state"
          clearable
          data={Object.entries(states).map(([value, label]) => ({ value, label }))}
          value={state in states ? state : null}
          onChange={(value) => set('state', value)}
        />
        <Text size="sm" c="dimmed" role="status" pb={8}>
          {shown.length === models.length
            ? `${models.length} models`
            : `${shown.length} of ${models.length} models`}
        </Text>
      </Group>
      {shown.length === 0 && <Empty title="No model matches">Change the search or the state.</Empty>}
      <Stack component="ul" gap="xs" m={0} p={0} style={{ listStyle: 'none' }}>
        {shown.map((model) => (
          <li key={model.name}>
            <ModelCard tenantId={tenantId} model={model} />
          </li>
        ))}
      </Stack>
    </Stack>
  );
}

function summaryOf(models: readonly Model[]): string {
  const ready = models.filter((model) => model.ready);
  const failing = models.length - ready.length;
  const own = ready.filter(({ credential }) => credential?.source === 'tenant').length;
  const global = ready.filter(({ credential }) => credential?.source === 'global').length;
  return [
    own > 0 && `The tenant's own keys pay for ${own} of ${models.length} models.`,
    global > 0 && `The operator's global keys pay for ${global}.`,
    failing === 0
      ? 'No call fails for want of a key.'
      : ready.length === 0
        ? 'Every call would fail.'
        : `Calls of ${failing} would fail.`,
  ]
    .filter(Boolean)
    .join(' ');
}

function isShown(model: Model, search: string, state: string): boolean {
  const { name, provider, host, target, credential, problem } = model;
  const text = [name, provider, host, target, credential?.masked_key, problem?.code].join(' ').toLowerCase();
  if (!text.includes(search.trim().toLowerCase())) return false;
  if (state === 'failing') return !model.ready;
  if (state === 'warnings') return model.warnings.length > 0;
  return state !== 'ready' || model.ready;
}

/** Failing ones first, and of these the ones that have a credential; then those with warnings. */
function byUrgency(a: Model, b: Model): number {
  return urgencyOf(a) - urgencyOf(b) || a.name.localeCompare(b.name);
}

function urgencyOf({ ready, credential, problem, warnings }: Model): number {
  if (ready) return warnings.length > 0 ? 3 : 4;
  if (credential !== null) return 0;
  // Most tenants have no credential for most providers.
  return problem?.code === 'credential_not_configured' ? 2 : 1;
}
