import { Card, Code, List, Title } from '@mantine/core';

/** The whole replacement, of which this page does one step. */
export function Steps() {
  return (
    <Card withBorder component="section" aria-labelledby="steps-title">
      <Title order={2} size="h4" mb="xs" id="steps-title">
        How the encryption key is replaced
      </Title>
      <List type="ordered" size="sm" spacing={6}>
        <List.Item>
          Make a key with <Code>npm run generate-encryption-key</Code>, and keep a copy of it where the old
          one is kept.
        </List.Item>
        <List.Item>
          Start every process with both keys, one after the other: the new one in <Code>ENCRYPTION_KEY</Code>,
          the old one in <Code>ENCRYPTION_KEY_PREVIOUS</Code>. The new key seals when the last process has it.
        </List.Item>
        <List.Item>Start the rotation here, and wait until it has finished.</List.Item>
        <List.Item>
          Retire the old key with <Code>npx tenkey encryption retire</Code> and its fingerprint.
        </List.Item>
        <List.Item>
          Start every process with the new key only. Keep the old key as long as you keep a backup from
          before.
        </List.Item>
      </List>
    </Card>
  );
}
