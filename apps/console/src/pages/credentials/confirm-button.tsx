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
  color,
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
  /** Of the button in the dialog. The one that opens it is grey then, because nothing happens yet. */
  color?: ButtonProps['color'];
  children: ReactNode;
} & Pick<ButtonProps, 'variant' | 'size'>) {
  const [isOpen, dialog] = useDisclosure();
  const isOwn = changing.variables?.kind === change.kind;
  const open = () => {
    changing.reset();
    dialog.open();
  };
  return (
    <>
      <Button {...button} color={color && 'gray'} onClick={open} disabled={changing.isPending}>
        {label}
      </Button>
      <Confirm
        title={title}
        name={typedName}
        action={label}
        color={color}
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
