import { Anchor, Badge, Button, Collapse, Group, Paper, Stack, Table, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { type ReactNode, useId } from 'react';
import { Link } from 'react-router';
import { deedOf } from './actions';
import { actorOf, type AuditEvent, changesOf, restOf, valueText, wordsOf } from './audit-words';
import { Copyable } from '../keys/copyable';
import { relativeTime, timeOf } from '../times';

/** Audit events in words, with the details of each on demand. @param tenantNames by id; absent: all are of one tenant, which the page names */
export function AuditEvents({
  events,
  tenantNames,
}: {
  events: readonly AuditEvent[];
  tenantNames?: ReadonlyMap<string, string>;
}) {
  return (
    <Stack gap="xs" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
      {events.map((event) => (
        <li key={event.seq}>
          <Event event={event} tenantNames={tenantNames} />
        </li>
      ))}
    </Stack>
  );
}

function Event({
  event,
  tenantNames,
}: {
  event: AuditEvent;
  tenantNames: ReadonlyMap<string, string> | undefined;
}) {
  const [isOpen, { toggle }] = useDisclosure();
  const id = useId();
  const isRefused = event.outcome === 'refused';
  return (
    <Paper withBorder p="xs" px="md">
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <Stack gap={2}>
          <Text size="sm">
            <strong>{actorOf(event)}</strong> {deedOf(event)}
            {tenantNames !== undefined && event.tenant_id !== null && (
              <>
                {' · '}
                <Anchor underline="always" component={Link} to={`/tenants/${event.tenant_id}`} size="sm">
                  {tenantNames.get(event.tenant_id) ?? event.tenant_id}
                </Anchor>
              </>
            )}
          </Text>
          <Group gap="xs">
            <Text component="time" dateTime={event.at} title={relativeTime(event.at)} size="sm" span>
              {timeOf(event.at)}
            </Text>
            {isRefused && (
              <Badge size="sm" color="red" variant="light" tt="none">
                {typeof event.details.code === 'string' ? event.details.code : 'refused'}
              </Badge>
            )}
          </Group>
        </Stack>
        <Button
          variant="subtle"
          size="compact-sm"
          flex="none"
          onClick={toggle}
          aria-expanded={isOpen}
          aria-controls={id}
          aria-label={`Details of event ${event.seq}`}
        >
          Details
        </Button>
      </Group>
      <div id={id}>
        <Collapse expanded={isOpen}>{isOpen && <Details event={event} />}</Collapse>
      </div>
    </Paper>
  );
}

function Details({ event }: { event: AuditEvent }) {
  const changes = changesOf(event);
  return (
    <Stack gap="xs" mt="xs">
      {changes.length > 0 && (
        <Table.ScrollContainer minWidth={320} type="native">
          <Table aria-label="What changed" verticalSpacing={4} layout="fixed">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Field</Table.Th>
                <Table.Th>Before</Table.Th>
                <Table.Th>After</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {changes.map(({ field, before, after }) => (
                <Table.Tr key={field}>
                  <Table.Th scope="row" fw={400}>
                    {wordsOf(field)}
                  </Table.Th>
                  <Table.Td>{valueText(before)}</Table.Td>
                  <Table.Td>{valueText(after)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      <Table verticalSpacing={4} layout="fixed" aria-label={`Event ${event.seq}`} variant="vertical">
        <Table.Tbody>
          {restOf(event).map(([field, value]) => (
            <Line key={field} name={wordsOf(field)}>
              {valueText(value)}
            </Line>
          ))}
          <Line name="event">
            {event.seq}, {event.action}
          </Line>
          <Line name="time in UTC">{event.at}</Line>
          <Line name="actor">{event.actor}</Line>
          <Line name="address">{event.address}</Line>
          <Line name="request id">
            <Copyable text={event.request_id} name="the request id" />
          </Line>
        </Table.Tbody>
      </Table>
    </Stack>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Table.Tr>
      <Table.Th scope="row" w={150}>
        {name}
      </Table.Th>
      <Table.Td>{children}</Table.Td>
    </Table.Tr>
  );
}
