import { Button, Group, type MantineColor, Stack } from '@mantine/core';
import { type ReactNode } from 'react';
import { ProblemAlert } from '../problem-alert';

/** What a form needs besides its fields, so that the same fields can create something and change it. */
export interface FormFrame {
  /** The text of the button that submits it. */
  readonly action: string;
  /** What it sends. */
  readonly request: { readonly isPending: boolean; readonly error: unknown };
  readonly onCancel: () => void;
}

/** A form: its fields, why its request failed, and its buttons. */
export function Form({
  action,
  color,
  isReady = true,
  request: { isPending, error },
  onSubmit,
  onCancel,
  children,
}: Omit<FormFrame, 'onCancel'> & {
  /** Absent: there is nothing to leave. */
  onCancel?: () => void;
  color?: MantineColor;
  /** False: it cannot be submitted yet. */
  isReady?: boolean;
  onSubmit: () => void;
  children: ReactNode;
}) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady && !isPending) onSubmit();
      }}
    >
      <Stack>
        {children}
        {error !== null && error !== undefined && <ProblemAlert error={error} />}
        <Group justify="flex-end">
          {onCancel !== undefined && (
            <Button variant="default" onClick={onCancel}>
              Cancel
            </Button>
          )}
          <Button type="submit" color={color} disabled={!isReady} loading={isPending}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
