import { Badge, Group, Text } from '@mantine/core';
import { type Schemas } from '../api/client';

/** Whose key pays for a call. */
export interface Payer {
  readonly source: Schemas['CredentialSource'];
  readonly mask: string;
  /** Null for a global key. */
  readonly version: string | null;
}

const words: Readonly<Record<Payer['source'], { who: string; color: string; meaning: string }>> = {
  tenant: { who: "Tenant's own key", color: 'teal', meaning: "The tenant's credential pays." },
  global: { who: "Operator's global key", color: 'orange', meaning: 'The operator pays, not the tenant.' },
};

/** Such as "Tenant's own key ...xyz9, version 3". */
export function payerText({ source, mask, version }: Payer): string {
  return `${words[source].who} ${mask}${version === null ? '' : `, version ${version}`}`;
}

/** The answer to "whose key paid", to be read at a glance. */
export function PayerView({ payer: { source, mask, version } }: { payer: Payer }) {
  const { who, color, meaning } = words[source];
  return (
    <Group gap={6}>
      <Badge color={color} variant="light" tt="none" title={meaning}>
        {who}
      </Badge>
      <Text size="sm" span ff="monospace">
        {mask}
      </Text>
      {version !== null && (
        <Text size="xs" c="dimmed" span>
          version {version}
        </Text>
      )}
    </Group>
  );
}
