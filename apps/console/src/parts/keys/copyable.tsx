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
          {copied ? '✓' : <CopyGlyph />}
        </ActionIcon>
      )}
    </CopyButton>
  );
}

/** Two sheets. Not every font has a character for it. */
function CopyGlyph() {
  return (
    <svg
      width="14"
      height="14"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      aria-hidden
    >
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
      <path d="M10.5 3.5v-.5a1 1 0 0 0-1-1h-6.5a1 1 0 0 0-1 1v6.5a1 1 0 0 0 1 1h.5" />
    </svg>
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
