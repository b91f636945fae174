/** A page of a list of the API. */
interface ListPage {
  readonly next_cursor: string | null;
}

/** Reads all pages of a list, one after the other. @param read reads the page after a cursor; undefined: the first one */
export async function allPages<Page extends ListPage>(
  read: (cursor: string | undefined) => Promise<{ data?: Page | string }>,
): Promise<Page[]> {
  const pages: Page[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await read(cursor);
    // A list that is also offered as CSV has texts among its responses.
    if (data === undefined || typeof data === 'string') break;
    pages.push(data);
    cursor = data.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return pages;
}
