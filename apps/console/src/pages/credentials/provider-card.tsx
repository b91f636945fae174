import { Alert, Button, Group, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';
import { Link } from 'react-router';
import { StatusBadge, statusLooks } from '../../parts/status-badge';
import { CredentialFacts } from './credential-facts';
import { isRefused, isUnusable, type Provider, type Slots } from './credential-data';
import { RollbackCountdown } from './rollback-countdown';
import {
  DeleteButton,
  DiscardButton,
  PromoteButton,
  Result,
  RollbackButton,
  Verified,
  VerifyButton,
} from './slot-buttons';
import { useChange } from './slot-changes';

/** A tenant's credentials for one provider, and what can be done with them. */
export function ProviderCard({
  tenantId,
  slots,
  provider,
  canWrite,
  isExpected,
  isWanted,
  onDeleted,
}: {
  tenantId: string;
  slots: Slots;
  /** Undefined: the catalogue does not declare it. */
  provider: Provider | undefined;
  canWrite: boolean;
  /** The tenant should have a credential for it. */
  isExpected: boolean;
  /** The address names it. */
  isWanted: boolean;
  onDeleted: (message: string) => void;
}) {
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isWanted) card.current?.scrollIntoView({ block: 'start' });
  }, [isWanted]);
  const changing = useChange(tenantId, slots.provider, ({ message }, { kind }) => {
    if (kind === 'delete') onDeleted(message);
  });
  const { live, staged, previous, isUnknown } = slots;
  const name = provider?.label ?? slots.provider;
  const id = `provider-${slots.provider}`;
  const canAct = canWrite && !isUnknown;
  const parts = 1 + Number(staged !== null) + Number(previous !== null);
  const verify = (slot: 'live' | 'staged' | 'previous') =>
    canAct && provider?.verifiable === true && <VerifyButton slot={slot} changing={changing} />;
  return (
    <Paper
      ref={card}
      component="section"
      aria-labelledby={id}
      withBorder
      p="md"
      style={{
        scrollMarginTop: 68,
        ...(isWanted && { outline: '2px solid var(--mantine-primary-color-filled)', outlineOffset: 2 }),
      }}
    >
      <Stack>
        <Group justify="space-between" align="flex-start">
          <Stack gap={0}>
            <Title order={2} size="h4" id={id}>
              {name}
            </Title>
            {name !== slots.provider && (
              <Text size="xs" c="dimmed">
                {slots.provider}
              </Text>
            )}
          </Stack>
          <Group gap="xs">
            {canAct && live !== null && (
              <Button
                component={Link}
                to={`/tenants/${tenantId}/replace/${slots.provider}`}
                variant={isRefused(live) || isUnusable(live) ? 'filled' : 'light'}
                size="xs"
              >
                {staged === null ? 'Replace' : 'Go on replacing'}
              </Button>
            )}
            {canWrite && (live ?? staged ?? previous) !== null && (
              <DeleteButton slots={slots} name={name} changing={changing} />
            )}
          </Group>
        </Group>
        {isUnknown && (
          <Alert color="gray" title="The model catalogue no longer declares this provider">
            No call can use this credential. It is kept for when the provider is declared again, and you can
            delete it.
          </Alert>
        )}
        <Result changing={changing} />
        <SimpleGrid cols={{ base: 1, sm: Math.min(parts, 2), lg: parts }} style={{ alignItems: 'start' }}>
          {live === null ? (
            <NoLive slots={slots} name={name} isExpected={isExpected} tenantId={tenantId} canAct={canAct} />
          ) : (
            <SlotPart
              title="Live"
              about={isUnknown ? 'No call can use it now.' : 'Calls use this one.'}
              actions={verify('live')}
            >
              <Verified slot="live" changing={changing} name={name} />
              <CredentialFacts credential={live} provider={provider} />
            </SlotPart>
          )}
          {staged !== null && (
            <SlotPart
              title="Staged"
              about="No call uses it until it is promoted."
              actions={
                <>
                  {verify('staged')}
                  {canAct && <PromoteButton slots={slots} staged={staged} name={name} changing={changing} />}
                  {canWrite && <DiscardButton slots={slots} name={name} changing={changing} size="xs" />}
                </>
              }
            >
              <Verified slot="staged" changing={changing} name={name} />
              <CredentialFacts credential={staged} provider={provider} slot="staged" />
            </SlotPart>
          )}
          {previous !== null && (
            <SlotPart
              title="Previous"
              about="It was live before the last promotion."
              actions={
                <>
                  {verify('previous')}
                  {canAct && <RollbackButton slots={slots} name={name} changing={changing} />}
                </>
              }
            >
              <Verified slot="previous" changing={changing} name={name} />
              <RollbackCountdown until={previous.rollback_until} mask={previous.masked_key} />
              <CredentialFacts credential={previous} provider={provider} slot="previous" />
            </SlotPart>
          )}
        </SimpleGrid>
      </Stack>
    </Paper>
  );
}

function SlotPart({
  title,
  about,
  actions,
  children,
}: {
  title: string;
  about: string;
  actions: ReactNode;
  children: ReactNode;
}) {
  return (
    <Paper withBorder p="sm" role="group" aria-label={title}>
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <Group gap="xs" align="baseline">
            <Title order={3} size="h6">
              {title}
            </Title>
            <Text size="xs" c="dimmed">
              {about}
            </Text>
          </Group>
          <Group gap="xs">{actions}</Group>
        </Group>
        {children}
      </Stack>
    </Paper>
  );
}

function NoLive({
  slots: { provider, staged },
  name,
  isExpected,
  tenantId,
  canAct,
}: {
  slots: Slots;
  name: string;
  isExpected: boolean;
  tenantId: string;
  canAct: boolean;
}) {
  const status = isExpected ? 'missing' : 'none';
  return (
    <Stack gap="xs" align="flex-start">
      <StatusBadge status={status} />
      <Text size="sm">
        {staged === null ? statusLooks[status].meaning : 'No credential is live.'} Calls to {name} fail, and
        no other key is used in its place.
      </Text>
      {canAct && (
        <Button component={Link} to={`/tenants/${tenantId}/add/${provider}`} size="xs">
          {staged === null ? 'Add the key' : 'Go on adding'}
        </Button>
      )}
    </Stack>
  );
}
