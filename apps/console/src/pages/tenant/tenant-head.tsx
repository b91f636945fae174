import { Alert, Anchor, Badge, Group, Paper, SimpleGrid, Stack, Text } from '@mantine/core';
import { type ReactNode } from 'react';
import { type Schemas } from '../../api/client';
import { useSession } from '../../api/session';
import { CopyIcon } from '../../parts/keys/copyable';
import { PageHead } from '../../parts/page-head';
import { timeOf } from '../../parts/times';
import { ChangeState } from './change-state';
import { DeleteTenant } from './delete-tenant';
import { EditTenant } from './edit-tenant';

/** What a tenant is, and what may be called for it. */
export function TenantHead({ tenant }: { tenant: Schemas['TenantResponse'] }) {
  const isSuspended = tenant.state === 'suspended';
  return (
    <div>
      <PageHead
        title={tenant.name}
        description={
          <Group component="span" gap="xs">
            <Badge component="span" color={isSuspended ? 'red' : 'teal'} variant="light" tt="none">
              {tenant.state}
            </Badge>
            {tenant.display_name}
          </Group>
        }
        actions={useSession().can('tenants:write') && <Actions tenant={tenant} />}
      />
      {isSuspended && (
        <Alert color="red" mb="md" title="Every call for this tenant is refused">
          It is suspended. Its credentials and keys are kept, and work again as soon as it is reactivated.
        </Alert>
      )}
      <Paper withBorder p="md">
        <SimpleGrid component="dl" cols={{ base: 2, md: 4 }} m={0} verticalSpacing="sm">
          <Fact name="Contact">
            {tenant.contact_email === null ? (
              <Unset>None</Unset>
            ) : (
              <Anchor href={`mailto:${tenant.contact_email}`} size="sm">
                {tenant.contact_email}
              </Anchor>
            )}
          </Fact>
          <Fact name="Expected providers">
            <Values values={tenant.expected_providers} unset="Those that it has a credential for" />
            <About>A missing one is reported on Today.</About>
          </Fact>
          <Fact name="Allowed providers">
            <Values values={tenant.allowed_providers} unset="Any" />
            <About>Where the calls of the tenant may go.</About>
          </Fact>
          <Fact name="Allowed hosting">
            <Values values={tenant.allowed_hosting} unset="Any" />
            <About>Where the models it calls may run.</About>
          </Fact>
          {tenant.egress_allow !== null && (
            <Fact name="Allowed private addresses">
              <Values values={tenant.egress_allow} unset="" />
            </Fact>
          )}
        </SimpleGrid>
        <Group gap={4} mt="sm" wrap="nowrap">
          <Text size="xs" c="dimmed">
            Created {timeOf(tenant.created_at)}, changed {timeOf(tenant.updated_at)}, id {tenant.id}
          </Text>
          <CopyIcon text={tenant.id} name="the id" />
        </Group>
      </Paper>
    </div>
  );
}

function Actions({ tenant }: { tenant: Schemas['TenantResponse'] }) {
  return (
    <>
      <EditTenant tenant={tenant} />
      <ChangeState tenant={tenant} />
      <DeleteTenant tenant={tenant} />
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Stack gap={2}>
      <Text component="dt" size="xs" c="dimmed">
        {name}
      </Text>
      <Text component="dd" size="sm" m={0}>
        {children}
      </Text>
    </Stack>
  );
}

function Values({ values, unset }: { values: readonly string[] | null; unset: string }) {
  if (values === null) return <Unset>{unset}</Unset>;
  return values.length === 0 ? <Unset>None</Unset> : values.join(', ');
}

function About({ children }: { children: string }) {
  return (
    <Text c="dimmed" size="xs" span display="block">
      {children}
    </Text>
  );
}

function Unset({ children }: { children: string }) {
  return (
    <Text c="dimmed" size="sm" span>
      {children}
    </Text>
  );
}
