import { Modal, TextInput } from '@mantine/core';
import { type ComponentProps, useState } from 'react';
import { Form } from './form';

interface QuestionProps extends Omit<ComponentProps<typeof Form>, 'onCancel'> {
  /** For what cannot be undone: has to be typed before the button works. */
  readonly name?: string;
  readonly onClose: () => void;
}

/** A dialog that says what will happen before it happens. */
export function Confirm({
  title,
  isOpen,
  ...question
}: QuestionProps & { readonly title: string; readonly isOpen: boolean }) {
  return (
    <Modal opened={isOpen} onClose={question.onClose} title={title} size="lg">
      <Question {...question} />
    </Modal>
  );
}

/** Inside the dialog, so that what was typed is forgotten when it opens again. */
function Question({ name, isReady = true, onClose, children, ...form }: QuestionProps) {
  const [typed, setTyped] = useState('');
  const isTyped = name === undefined || typed.trim() === name.trim();
  return (
    <Form {...form} isReady={isReady && isTyped} onCancel={onClose}>
      {children}
      {name !== undefined && (
        <TextInput
          label={`Type ${name} to confirm`}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
        />
      )}
    </Form>
  );
}
