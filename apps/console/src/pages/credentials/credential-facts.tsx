import { Badge, Code, Group, Stack, Text } from '@mantine/core';
import { type ReactNode } from 'react';
import { type Schemas } from '../../api/client';
import { StatusBadge, statusLooks } from '../../parts/status-badge';
import { dateOf, Moment, relativeTime } from '../../parts/times';
import { type Provider, type StoredCredential } from './credential-data';
import { outcomes } from './outcomes';

/** The colour of the badge is behind a text that can be read. */
const readable = { label: { color: 'var(--mantine-color-text)' } };

const readyMeanings: Readonly<Record<Schemas['Slot'], string>> = {
  live: 'Calls can use it.',
  staged: 'The provider accepts it, and it can be promoted.',
  previous: 'It can become live again.',
};

/** Everything about a stored credential that is not secret. */
export function CredentialFacts({
  credential,
  provider,
  slot = 'live',
}: {
  credential: StoredCredential;
  /** Undefined: the catalogue no longer declares it. */
  provider: Provider | undefined;
  slot?: Schemas['Slot'];
}) {
  const { masked_key: mask, version, status, rejection, verification, expires_at: expires } = credential;
  const isUncertain = slot === 'staged' && status === 'ready' && verification?.outcome !== 'accepted';
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <Text ff="monospace" fw={600}>
          {mask}
        </Text>
        {isUncertain ? (
          <Badge color="gray" variant="light" tt="none">
            {verification === null ? 'not verified' : 'not accepted yet'}
          </Badge>
        ) : (
          <StatusBadge status={status} />
        )}
      </Group>
      <Text size="sm">
        {isUncertain
          ? `It can be promoted, but nobody knows yet whether ${provider?.label ?? 'the provider'} accepts it.`
          : status === 'ready'
            ? readyMeanings[slot]
            : statusLooks[status].meaning}
      </Text>
      <dl
        style={{
          display: 'grid',
          gridTemplateColumns: 'minmax(5.5rem, auto) minmax(0, 1fr)',
          gap: '4px 12px',
          margin: 0,
        }}
      >
        <Fact name={slot === 'staged' ? 'Staged' : 'Set'}>
          <Moment time={credential.configured_at} />
        </Fact>
        <Fact name="Expires">
          {expires === null ? 'No date is known.' : `${dateOf(expires)}, ${relativeTime(expires)}`}
        </Fact>
        <Fact name="Verified">
          {verification === null ? (
            'Never.'
          ) : (
            <>
              <Badge
                component="span"
                size="sm"
                variant="light"
                color={outcomes[verification.outcome].color}
                tt="none"
                styles={readable}
                mr={6}
                style={{ verticalAlign: 'middle' }}
              >
                {verification.outcome}
              </Badge>
              <Moment time={verification.verified_at} /> in {verification.latency_ms} ms
            </>
          )}
        </Fact>
        {rejection !== null && (
          <Fact name="Refused">
            {rejection.count === 1 ? 'Once' : `${rejection.count} times`}, last <Moment time={rejection.at} />
          </Fact>
        )}
        {Object.entries(credential.config).map(([name, value]) => (
          <Fact key={name} name={provider?.fields.find((field) => field.name === name)?.label ?? name}>
            <Setting value={value} />
          </Fact>
        ))}
        <Fact name="Version">{version}, counted across all tenants</Fact>
      </dl>
    </Stack>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <Text component="dt" size="sm" c="dimmed">
        {name}
      </Text>
      <Text component="dd" size="sm" m={0}>
        {children}
      </Text>
    </>
  );
}

/** A text, or a map of texts such as `deployments`. */
function Setting({ value }: { value: unknown }) {
  if (typeof value !== 'object' || value === null) return <Code>{String(value)}</Code>;
  return (
    <Stack gap={2} component="span" align="flex-start">
      {Object.entries(value).map(([name, text]) => (
        <Code key={name}>
          {name}={String(text)}
        </Code>
      ))}
    </Stack>
  );
}
