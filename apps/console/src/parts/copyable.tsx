import { ActionIcon, Button, CopyButton, Group, Text } from '@mantine/core';

/** A short text, such as an id, and a button that copies it. @param name what it is, for readers who do not see it */
export function Copyable({ text, name }: { text: string; name: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      <Text size="xs" ff="monospace" span>
        {text}
      </Text>
      <CopyIcon text={text} name={name} />
    </Group>
  );
}

/** The button alone, where the text itself has no room. */
export function CopyIcon({ text, name }: { text: string; name: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <ActionIcon
          variant="subtle"
          color={copied ? 'teal' : 'gray'}
          size="sm"
          onClick={copy}
          aria-label={copied ? `Copied ${name}` : `Copy ${name}`}
          title={copied ? 'Copied' : `Copy ${name}`}
        >
          {copied ? '✓' : '⧉'}
        </ActionIcon>
      )}
    </CopyButton>
  );
}

/** For the text that a page is about. */
export function CopyTextButton({ text, label }: { text: string; label: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Button onClick={copy} color={copied ? 'teal' : undefined} data-autofocus>
          {copied ? 'Copied' : label}
        </Button>
      )}
    </CopyButton>
  );
}
