import { Button, Center, Loader, Stack, Text } from '@mantine/core';
import { type UseQueryResult } from '@tanstack/react-query';
import { type ReactNode } from 'react';
import { ProblemAlert } from './problem-alert';

/** What a query found, or that it is loading, or why it failed. Data that was read before stays visible above an error. */
export function Loaded<Data>({
  query,
  children,
}: {
  query: UseQueryResult<Data, unknown>;
  children: (data: Data) => ReactNode;
}) {
  const { data, error, isPending, refetch } = query;
  if (isPending) {
    return (
      <Center p="xl">
        <Loader aria-label="Loading" />
      </Center>
    );
  }
  return (
    <>
      {error !== null && (
        <Stack align="flex-start" mb="md">
          <ProblemAlert error={error} />
          <Button size="compact-sm" variant="default" onClick={() => void refetch()}>
            Try again
          </Button>
        </Stack>
      )}
      {data !== undefined && children(data)}
    </>
  );
}

/** What is shown in place of a list without entries: that it is empty, and what that means. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Stack align="center" gap="xs" p="xl">
      <Text fw={600}>{title}</Text>
      {children !== undefined && (
        <Text c="dimmed" size="sm" ta="center" maw={480} component="div">
          {children}
        </Text>
      )}
    </Stack>
  );
}
