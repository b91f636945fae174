import { Button, Center } from '@mantine/core';

/** The part of an infinite query that the button needs. */
interface Pages {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  fetchNextPage(): unknown;
}

/** Below a list that is read page by page; nothing when all pages are shown. */
export function LoadMore({ query, label }: { query: Pages; label: string }) {
  if (!query.hasNextPage) return null;
  return (
    <Center p="md">
      <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
        {label}
      </Button>
    </Center>
  );
}
