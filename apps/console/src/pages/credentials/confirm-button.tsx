import { Button, type ButtonProps } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { type ReactNode } from 'react';
import { Confirm } from '../../parts/forms/confirm';
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
  const isOwn = changing.variables?.kind === change.kind;
  const open = () => {
    changing.reset();
    dialog.open();
  };
  return (
    <>
      <Button {...button} onClick={open} disabled={changing.isPending}>
        {label}
      </Button>
      <Confirm
        title={title}
        name={typedName}
        action={label}
        color={button.color}
        isOpen={isOpen}
        request={{ isPending: changing.isPending, error: isOwn ? changing.error : undefined }}
        onSubmit={() => changing.mutate(change, { onSuccess: dialog.close })}
        onClose={dialog.close}
      >
        {children}
      </Confirm>
    </>
  );
}
