import { Alert, Button, Code, Group, Modal, Stack, Text } from '@mantine/core';
import { type ReactNode } from 'react';
import { CopyTextButton } from './copyable';

/** Shows a key that was just issued, once. Only its own button closes it, because the key cannot be shown again. */
export function NewKey({
  issued,
  onClose,
  children,
}: {
  /** Undefined: nothing is shown. */
  issued: { readonly name: string; readonly key: string; readonly warnings?: readonly string[] } | undefined;
  /** Has to forget the key. */
  onClose: () => void;
  /** How the key is used. */
  children: ReactNode;
}) {
  return (
    <Modal
      opened={issued !== undefined}
      onClose={onClose}
      title="The new key"
      size="lg"
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      {issued !== undefined && (
        <Stack>
          <Alert color="gray" title="Copy the key now">
            Tenkey keeps only a hash of it, and cannot show it again. If it is lost, issue another one.
          </Alert>
          <Text size="sm">
            The key <strong>{issued.name}</strong>:
          </Text>
          <Code block style={{ userSelect: 'all', whiteSpace: 'pre-wrap' }}>
            {issued.key}
          </Code>
          {issued.warnings?.map((warning) => (
            <Alert key={warning} color="gray">
              {warning}
            </Alert>
          ))}
          {children}
          <Group justify="space-between">
            <CopyTextButton text={issued.key} label="Copy the key" />
            <Button variant="default" onClick={onClose}>
              I have stored the key
            </Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}
