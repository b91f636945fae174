import { Stack } from '@mantine/core';
import { useSession } from '../../api/session';
import { PageHead } from '../../parts/page-head';
import { FailingProviders } from './failing-providers';
import { LastDay } from './last-day';
import { Processes } from './processes';
import { ServiceState } from './service-state';
import { WorkListTable } from './work-list-table';

/** What needs the sysadmin this morning, and whether the service works. */
export default function Today() {
  const session = useSession();
  return (
    <>
      <PageHead title="Today" description="What needs you, the worst and newest first." />
      <Stack>
        {session.can('usage:read') && <FailingProviders />}
        {session.can('readiness:read') && <WorkListTable />}
        {session.can('usage:read') && <LastDay />}
        <ServiceState />
        <Processes />
      </Stack>
    </>
  );
}
