import { Anchor, Badge, Grid, Group, List, Paper, Text } from '@mantine/core';
import { type ReactNode } from 'react';
import { Link } from 'react-router';
import { type Schemas } from '../../../api/client';
import { PayerView } from '../../../parts/payer';
import { StatusBadge } from '../../../parts/status-badge';
import { Moment } from '../../../parts/times';

type Model = Schemas['ExplainedModelResponse'];

/** A model: its name, where a call goes, and whose key pays; below it why calls fail, and what may be a surprise. */
export function ModelCard({ tenantId, model }: { tenantId: string; model: Model }) {
  const { name, kind, problem, warnings, endpoints, ready } = model;
  return (
    <Paper withBorder p="sm">
      <Grid gap="xs">
        <Grid.Col span={{ base: 12, md: 4 }}>
          <Group gap="xs">
            <Text size="sm" fw={600} component="h2">
              {name}
            </Text>
            <Badge color={ready ? 'teal' : 'red'} variant="light" tt="none">
              {ready ? 'ready' : 'fails'}
            </Badge>
          </Group>
          <Text size="xs" c="dimmed">
            {kind}
            {endpoints.length > 0 && `: ${endpoints.join(', ')}`}
          </Text>
        </Grid.Col>
        <Grid.Col span={{ base: 12, sm: 6, md: 4 }}>
          <Label>Calls go to</Label>
          <Destination model={model} />
        </Grid.Col>
        <Grid.Col span={{ base: 12, sm: 6, md: 4 }}>
          <Label>Whose key pays</Label>
          <Credential model={model} />
        </Grid.Col>
      </Grid>
      {/* That the tenant is suspended is said once, above all models. */}
      {problem !== null && problem.code !== 'tenant_suspended' && (
        <Problem tenantId={tenantId} model={model} problem={problem} />
      )}
      {warnings.length > 0 && (
        <List size="sm" mt="xs" icon={<span aria-hidden>⚠</span>}>
          {warnings.map((warning) => (
            <List.Item key={warning}>{warning}</List.Item>
          ))}
        </List>
      )}
    </Paper>
  );
}

function Problem({
  tenantId,
  model: { provider },
  problem: { code, detail, hint },
}: {
  tenantId: string;
  model: Model;
  problem: Schemas['ExpectedProblemResponse'];
}) {
  return (
    <Text size="sm" mt="xs" component="div">
      <Text size="sm" c="var(--mantine-color-red-light-color)" fw={600} span>
        {code}.
      </Text>{' '}
      {detail}
      {hint !== undefined && <Text size="xs">{hint}</Text>}
      {provider !== null && code.startsWith('credential_') && (
        <Anchor component={Link} to={`/tenants/${tenantId}?provider=${provider}`} size="sm">
          {code === 'credential_not_configured' ? 'Store a credential' : 'Open the credential'} for {provider}
        </Anchor>
      )}
    </Text>
  );
}

const targetReasons: Readonly<Record<Schemas['TargetSource'], string>> = {
  deployments: "from the credential's deployments",
  catalogue: 'from the model catalogue',
  deployment_name: "from the credential's deployment_name",
};

function Destination({ model }: { model: Model }) {
  const { provider, host, target, target_from: from, upstream_model: upstream, name } = model;
  if (provider === null) return <Text size="sm">No provider serves it.</Text>;
  const reached = target ?? upstream;
  return (
    <>
      <Text size="sm">
        <strong>{provider}</strong>
        {host === null ? '' : ` at ${host}`}
      </Text>
      {reached !== null && (reached !== name || from !== null) && (
        <Text size="xs" c="dimmed">
          {from === null ? `as ${reached}` : `deployment ${reached}, ${targetReasons[from]}`}
        </Text>
      )}
    </>
  );
}

function Credential({ model: { credential, problem, staged, rollback_until: until } }: { model: Model }) {
  if (credential === null) {
    return (
      <Text size="sm">
        {problem?.code === 'credential_not_configured'
          ? 'There is no key.'
          : 'None, because calls are refused.'}{' '}
        {staged === null ? '' : `${staged.masked_key} is staged, and not used until it is promoted.`}
      </Text>
    );
  }
  const { source, masked_key: mask, version, status, expires_at: expiry } = credential;
  return (
    <>
      <Group gap={6}>
        <PayerView payer={{ source, mask, version }} />
        {status !== null && status !== 'ready' && <StatusBadge status={status} />}
      </Group>
      <Text size="xs" c="dimmed">
        {expiry !== null && (
          <>
            {Date.parse(expiry) < Date.now() ? 'Expired' : 'Expires'} <Moment time={expiry} />.{' '}
          </>
        )}
        {staged !== null && `${staged.masked_key} is staged. `}
        {until !== null && (
          <>
            Can be rolled back until <Moment time={until} />.
          </>
        )}
      </Text>
    </>
  );
}

function Label({ children }: { children: ReactNode }) {
  return (
    <Text size="xs" c="dimmed">
      {children}
    </Text>
  );
}
