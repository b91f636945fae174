import { Button, Code, Modal, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { api } from '../../../api/client';
import { useRefresh } from '../../../api/session';
import { NewKey } from '../../../parts/keys/new-key';
import { KeyForm } from './key-form';

/** Issues a tenant key, and shows it once. Nothing but the mutation has the key, and it forgets it when the dialog closes. */
export function IssueKey({ tenantId }: { tenantId: string }) {
  const refresh = useRefresh();
  const [isOpen, { open, close }] = useDisclosure();
  const issue = api.useMutation('post', '/api/v1/sysadmin/tenants/{tenant_id}/keys', {
    gcTime: 0,
    onSuccess: async () => {
      close();
      await refresh();
    },
  });
  return (
    <>
      <Button
        onClick={() => {
          issue.reset();
          open();
        }}
      >
        Issue a key
      </Button>
      <Modal opened={isOpen} onClose={close} title="Issue a tenant key" size="lg">
        <KeyForm
          tenantId={tenantId}
          action="Issue the key"
          request={issue}
          onSubmit={(body) => issue.mutate({ params: { path: { tenant_id: tenantId } }, body })}
          onCancel={close}
        />
      </Modal>
      <NewKey issued={isOpen ? undefined : issue.data} onClose={() => issue.reset()}>
        <HowToUse />
      </NewKey>
    </>
  );
}

/** The command takes the key from a variable, so that it does not stay in the history of a shell. */
function HowToUse() {
  const base = document.baseURI.replace(/\/$/, '');
  return (
    <Stack gap="xs">
      <Text size="sm">
        Clients of OpenAI take it as their key, with the base URL <Code>{`${base}/v1`}</Code>. To try it, put
        it into the variable TENKEY_KEY:
      </Text>
      <Code block style={{ whiteSpace: 'pre-wrap' }}>
        {`curl ${base}/v1/models -H "Authorization: Bearer $TENKEY_KEY"`}
      </Code>
    </Stack>
  );
}
