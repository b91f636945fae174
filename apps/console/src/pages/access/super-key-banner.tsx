import { Alert, Anchor, Button, Group, List, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';
import { type Scope } from '../../api/session';
import { actionLabel } from '../../parts/audit/actions';
import { type AuditEvent } from '../../parts/audit/audit-words';
import { dayOf } from '../../parts/audit/days';
import { countsOf } from '../../parts/counts';
import { whole } from '../../parts/numbers';
import { ProblemAlert } from '../../parts/problem-alert';
import { Moment } from '../../parts/times';
import { inWords } from './scope-words';
import { type SuperKeyUser, useSuperKeyUse } from './super-key-use';

const SHOWN_USERS = 5;
const SHOWN_DEEDS = 3;

/** Who used the super key this week for what a sysadmin key can do. @param onCreate opens the form for a key with these scopes */
export function SuperKeyBanner({ onCreate }: { onCreate: (scopes: readonly Scope[]) => void }) {
  const { data: use, error } = useSuperKeyUse();
  if (error !== null) return <ProblemAlert error={error} />;
  if (use === undefined) return null;
  if (use.events === 0) {
    return (
      <Alert color="teal" title="The super key was not needed this week">
        <Text size="sm">
          In the last seven days it changed nothing but sysadmin keys, which only the super key can manage.
          Requests that only read are not recorded.
        </Text>
      </Alert>
    );
  }
  const times = use.events === 1 ? 'once' : `${use.isComplete ? '' : 'at least '}${whole(use.events)} times`;
  return (
    <Alert color="yellow" title={`The super key was used ${times} this week`}>
      <Stack gap="sm">
        <Text size="sm">
          The super key opens everything and never expires, and the audit cannot say who used it. Use it only
          to manage sysadmin keys.
          {use.scopes.length > 0 && (
            <> For what was done this week, a key that may {inWords(use.scopes)} is enough.</>
          )}
        </Text>
        <List size="sm" spacing={4}>
          {use.users.slice(0, SHOWN_USERS).map((user) => (
            <List.Item key={user.actor + user.address}>
              <User user={user} since={use.since} />
            </List.Item>
          ))}
          {use.users.length > SHOWN_USERS && (
            <List.Item>and from {use.users.length - SHOWN_USERS} more addresses</List.Item>
          )}
        </List>
        {use.scopes.length > 0 && (
          <Group>
            <Button size="compact-sm" variant="default" onClick={() => onCreate(use.scopes)}>
              Create a key for this work
            </Button>
          </Group>
        )}
      </Stack>
    </Alert>
  );
}

function User({ user: { actor, address, events }, since }: { user: SuperKeyUser; since: string }) {
  const search = new URLSearchParams({ actor, since: dayOf(since) });
  return (
    <>
      From {address}, last <Moment time={events[0]!.at} />: {deedsOf(events)}.{' '}
      <Anchor
        component={Link}
        underline="always"
        to={`/audit?${search}`}
        size="sm"
        aria-label={`Show what was done from ${address}`}
      >
        Show
      </Anchor>
    </>
  );
}

/** Such as "created a tenant (12 times), changed a tenant": what was done most. */
function deedsOf(events: readonly AuditEvent[]): string {
  const counts = countsOf(
    events.map(({ action, outcome }) => (outcome === 'refused' ? 'was refused' : actionLabel(action))),
  );
  const deeds = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([deed, times]) => (times === 1 ? deed : `${deed} (${whole(times)} times)`));
  return [...deeds.slice(0, SHOWN_DEEDS), ...(deeds.length > SHOWN_DEEDS ? ['and more'] : [])].join(', ');
}
