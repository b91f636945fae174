import { Badge, Grid, Group, List, Paper, Stack, Text } from '@mantine/core';
import { type ReactNode } from 'react';
import { type Schemas } from '../../../api/client';
import { PayerView } from '../../../parts/payer';
import { StatusBadge } from '../../../parts/status-badge';
import { Moment } from '../../../parts/times';

type Model = Schemas['ExplainedModelResponse'];

/** A model: its name, where a call goes, and whose key pays; below it why calls fail, and what may be a surprise. */
export function ModelCard({ model }: { model: Model }) {
  const { name, kind, problem, warnings, endpoints, ready } = model;
  return (
    <Paper withBorder p="sm">
      <Grid gap="sm">
        <Grid.Col span={{ base: 12, md: 3 }}>
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
          </Text>
        </Grid.Col>
        <Grid.Col span={{ base: 12, sm: 6, md: 4 }}>
          <Label>Calls go to</Label>
          <Destination model={model} />
        </Grid.Col>
        <Grid.Col span={{ base: 12, sm: 6, md: 5 }}>
          <Label>Whose key pays</Label>
          <Credential model={model} />
        </Grid.Col>
      </Grid>
      {problem !== null && (
        <Stack gap={2} mt="xs">
          <Text size="sm" c="var(--mantine-color-red-light-color)" fw={600}>
            {problem.code}
          </Text>
          <Text size="sm">{problem.detail}</Text>
          {problem.hint !== undefined && (
            <Text size="sm" fw={500}>
              {problem.hint}
            </Text>
          )}
        </Stack>
      )}
      {warnings.length > 0 && (
        <List size="sm" mt="xs" icon={<span aria-hidden>⚠</span>}>
          {warnings.map((warning) => (
            <List.Item key={warning}>{warning}</List.Item>
          ))}
        </List>
      )}
      {endpoints.length > 0 && (
        <Text size="xs" c="dimmed" mt="xs">
          Endpoints: {endpoints.join(', ')}
        </Text>
      )}
    </Paper>
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

function Credential({ model: { credential, staged, rollback_until: until } }: { model: Model }) {
  if (credential === null) {
    return (
      <Text size="sm">
        No key. {staged === null ? '' : `${staged.masked_key} is staged, and not used until it is promoted.`}
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
