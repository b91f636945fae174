import { Group, Stack, Text } from '@mantine/core';
import { CallList } from './call-list';
import { VerifyReceipt } from './verify-receipt';

/** The tab with the calls of a tenant. */
export function TenantCalls({ tenantId }: { tenantId: string }) {
  return (
    <Stack>
      <Group justify="space-between" align="flex-start">
        <Text size="sm" c="dimmed" maw={640}>
          Every call that Tenkey decided to send, newest first. A call appears here within two seconds after
          its end.
        </Text>
        <VerifyReceipt />
      </Group>
      <CallList tenantId={tenantId} />
    </Stack>
  );
}
