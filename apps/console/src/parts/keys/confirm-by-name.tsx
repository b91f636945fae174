import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ProblemAlert } from '../problem-alert';

/** A dialog for what cannot be undone: its button works only after the name of the thing was typed. */
export function ConfirmByName({
  title,
  name,
  action,
  isOpen,
  isPending,
  error,
  onConfirm,
  onClose,
  children,
}: {
  title: string;
  name: string;
  /** The text of the button, such as "Revoke the key". */
  action: string;
  isOpen: boolean;
  isPending: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
  /** What happens. */
  children: ReactNode;
}) {
  return (
    <Modal opened={isOpen} onClose={onClose} title={title} size="lg">
      <Question {...{ name, action, isPending, error, onConfirm, onClose }}>{children}</Question>
    </Modal>
  );
}

/** Inside the dialog, so that what was typed is gone when it opens again. */
function Question({
  name,
  action,
  isPending,
  error,
  onConfirm,
  onClose,
  children,
}: Omit<Parameters<typeof ConfirmByName>[0], 'title' | 'isOpen'>) {
  const [typed, setTyped] = useState('');
  const isConfirmed = typed.trim() === name.trim();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isConfirmed) onConfirm();
      }}
    >
      <Stack>
        {children}
        <TextInput
          label={`Type ${name} to confirm`}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
        />
        {error !== null && error !== undefined && <ProblemAlert error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" color="red" disabled={!isConfirmed} loading={isPending}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
