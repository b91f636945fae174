import { Button, type ButtonProps, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { type ReactNode, useState } from 'react';
import { ProblemAlert } from '../../parts/problem-alert';
import { type Change, type Changing } from './slot-changes';

/** A button whose dialog says what will happen before it happens. */
export function ConfirmButton({
  label,
  title,
  change,
  changing,
  typedName,
  children,
  ...button
}: {
  /** On both buttons. */
  label: string;
  title: string;
  change: Change;
  changing: Changing;
  /** Must be typed before; undefined: nothing. */
  typedName?: string;
  children: ReactNode;
} & Pick<ButtonProps, 'variant' | 'color' | 'size'>) {
  const [isOpen, dialog] = useDisclosure();
  const [typed, setTyped] = useState('');
  const isOwn = changing.variables?.kind === change.kind;
  const open = () => {
    changing.reset();
    setTyped('');
    dialog.open();
  };
  const isTyped = typedName === undefined || typed.trim() === typedName;
  return (
    <>
      <Button {...button} onClick={open} disabled={changing.isPending}>
        {label}
      </Button>
      <Modal
        opened={isOpen}
        onClose={dialog.close}
        title={title}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (isTyped && !changing.isPending) changing.mutate(change, { onSuccess: dialog.close });
          }}
        >
          <Stack>
            {children}
            {typedName !== undefined && (
              <TextInput
                label={`Type ${typedName} to confirm`}
                value={typed}
                onChange={(event) => setTyped(event.currentTarget.value)}
                autoComplete="off"
                spellCheck={false}
                data-autofocus
              />
            )}
            {isOwn && changing.error !== null && <ProblemAlert error={changing.error} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={dialog.close}>
                Cancel
              </Button>
              <Button
                type="submit"
                color={button.color}
                disabled={!isTyped}
                loading={changing.isPending && isOwn}
              >
                {label}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
