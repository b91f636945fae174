import { Text, Title, VisuallyHidden } from '@mantine/core';
import { type ReactNode } from 'react';

export interface Step {
  readonly label: string;
  readonly state: 'done' | 'current' | 'doubtful' | 'failed' | 'ahead';
  /** What is known about it, such as the mask or the outcome. */
  readonly detail?: string;
}

const looks = {
  done: { color: 'var(--mantine-color-teal-filled)', sign: '✓', spoken: 'done' },
  current: { color: 'var(--mantine-primary-color-filled)', sign: '●', spoken: 'current' },
  doubtful: { color: 'var(--mantine-color-yellow-filled)', sign: '?', spoken: 'not certain' },
  failed: { color: 'var(--mantine-color-red-filled)', sign: '✕', spoken: 'not passed' },
  ahead: { color: 'var(--mantine-color-default-border)', sign: '○', spoken: 'to come' },
} as const;

/** Where one is in a replacement. It is no menu: each step follows from what is stored. */
export function Steps({ steps }: { steps: readonly Step[] }) {
  return (
    <ol
      aria-label="Steps of the replacement"
      style={{ display: 'flex', gap: 8, listStyle: 'none', margin: '0 0 1.25rem', padding: 0 }}
    >
      {steps.map(({ label, state, detail }) => {
        const { color, sign, spoken } = looks[state];
        const isHere = state !== 'done' && state !== 'ahead';
        return (
          <li
            key={label}
            aria-current={isHere ? 'step' : undefined}
            style={{ flex: '1 1 0', minWidth: 0, borderTop: `4px solid ${color}`, paddingTop: 6 }}
          >
            <Text size="sm" fw={isHere ? 700 : 500} c={state === 'ahead' ? 'dimmed' : undefined}>
              <span aria-hidden>{sign} </span>
              {label}
              <VisuallyHidden>, {spoken}</VisuallyHidden>
            </Text>
            {detail !== undefined && (
              <Text size="xs" c="dimmed">
                {detail}
              </Text>
            )}
          </li>
        );
      })}
    </ol>
  );
}

/** The title of a step. It takes the focus, so that a screen reader reads it, and so that Enter does not yet take the next step. */
export function Heading({ children }: { children: ReactNode }) {
  return (
    <Title
      order={2}
      size="h4"
      tabIndex={-1}
      ref={(node) => node?.focus({ preventScroll: true })}
      style={{ outline: 'none' }}
    >
      {children}
    </Title>
  );
}
