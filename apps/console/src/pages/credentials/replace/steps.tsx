import { Text, Title, VisuallyHidden } from '@mantine/core';
import { type ReactNode } from 'react';
import { type Provider } from '../credential-data';

const looks = {
  done: { color: 'teal', sign: '✓', spoken: 'done' },
  skipped: { color: 'gray', sign: '–', spoken: 'skipped' },
  current: { color: 'cyan', sign: '●', spoken: 'current' },
  doubtful: { color: 'yellow', sign: '?', spoken: 'not certain' },
  failed: { color: 'red', sign: '✕', spoken: 'not passed' },
  ahead: { color: undefined, sign: '○', spoken: 'to come' },
} as const;

/** In the order in which they happen. */
const labels = ['Enter', 'Stage', 'Verify', 'Promote'] as const;
type Label = (typeof labels)[number];

export interface StepsProps {
  readonly provider: Provider;
  /** Undefined: all steps are done. */
  readonly current: Label | undefined;
  /** Of the current step. */
  readonly state?: 'current' | 'doubtful' | 'failed';
  /** What is known about a step, such as the mask or the outcome. */
  readonly details?: Partial<Record<Label, string>>;
  /** False: the key was promoted although no verification had accepted it. */
  readonly isVerified?: boolean;
}

/** Where one is in a replacement. It is no menu: each step follows from what is stored. */
export function Steps({ provider, current, state = 'current', details = {}, isVerified = true }: StepsProps) {
  const shown = labels.filter((label) => label !== 'Verify' || provider.verifiable);
  const at = current === undefined ? shown.length : shown.indexOf(current);
  const stateOf = (label: Label, index: number) => {
    if (index === at) return state;
    if (index > at) return 'ahead';
    return label === 'Verify' && !isVerified ? 'skipped' : 'done';
  };
  return (
    <ol
      aria-label="Steps of the replacement"
      style={{ display: 'flex', gap: 4, listStyle: 'none', margin: '0 0 1.25rem', padding: 0 }}
    >
      {shown.map((label, index) => {
        const { color, sign, spoken } = looks[stateOf(label, index)];
        const isHere = index === at;
        const line = color === undefined ? 'default-border' : `${color}-filled`;
        return (
          <li
            key={label}
            aria-current={isHere ? 'step' : undefined}
            style={{
              flex: '1 1 0',
              minWidth: 0,
              borderTop: `4px solid var(--mantine-color-${line})`,
              padding: '6px 4px',
              ...(isHere && { background: `var(--mantine-color-${color}-light)` }),
            }}
          >
            <Text
              size="sm"
              fw={isHere ? 700 : 400}
              style={{ whiteSpace: 'nowrap' }}
              c={index > at ? 'dimmed' : undefined}
            >
              <span aria-hidden>{sign} </span>
              {label}
              <VisuallyHidden>, {spoken}</VisuallyHidden>
            </Text>
            {details[label] !== undefined && <Text size="xs">{details[label]}</Text>}
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
