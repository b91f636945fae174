import { Stack } from '@mantine/core';
import { PageHead } from '../../parts/page-head';
import { useParameters } from '../../parts/parameters';
import { CallList } from './call-list';
import { FindCall } from './find-call';
import { FoundCall } from './found-call';
import { VerifyReceipt } from './verify-receipt';

/** The latest calls, or the one that somebody asks about. */
export default function Calls() {
  const [parameters, change] = useParameters();
  const requestId = parameters.get('request') ?? '';
  return (
    <>
      <PageHead
        title="Calls"
        description="What each call reached, and whose key paid for it."
        actions={<VerifyReceipt />}
      />
      <Stack>
        <FindCall key={requestId} requestId={requestId} onFind={(id) => change({ request: id })} />
        {requestId === '' ? <CallList /> : <FoundCall requestId={requestId} />}
      </Stack>
    </>
  );
}
