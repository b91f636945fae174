import { Alert, type MantineColor } from '@mantine/core';
import { type ReactNode } from 'react';
import { whole } from './numbers';

/** Something to know that is no error. Its title has the color of text: those of a light alert are hard to read. */
export function Notice({
  title,
  color = 'yellow',
  children,
}: {
  title: string;
  color?: MantineColor;
  children: ReactNode;
}) {
  return (
    <Alert color={color} title={title} styles={{ title: { color: 'var(--mantine-color-bright)' } }}>
      {children}
    </Alert>
  );
}

/** Says that calls are missing in every sum and plot. @param when the days that the number is about */
export function LostCalls({ count, when }: { count: number; when: string }) {
  return (
    <Notice color="orange" title={count === 1 ? '1 call is missing' : `${whole(count)} calls are missing`}>
      {count === 1 ? 'It was' : 'They were'} made {when}, and could not be recorded because the database was
      unavailable or refused {count === 1 ? 'it' : 'them'}. Nothing says which provider and model{' '}
      {count === 1 ? 'it' : 'they'} went to, so no sum and no plot has {count === 1 ? 'it' : 'them'}.
    </Notice>
  );
}
