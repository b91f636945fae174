import { Alert, Text, type MantineColor } from '@mantine/core';
import { type ReactNode } from 'react';
import { type Outcome } from './credential-data';

/** What the response of a provider to a verification means. */
export interface OutcomeMeaning {
  /** As in "OpenAI accepts the key". */
  readonly says: string;
  readonly color: MantineColor;
  readonly whatToDo?: string;
}

export const outcomes: Readonly<Record<Outcome, OutcomeMeaning>> = {
  accepted: { says: 'accepts the key', color: 'teal' },
  rejected: {
    says: 'does not accept the key',
    color: 'red',
    whatToDo:
      "Copy the whole key from the provider's own page again. It may be incomplete, revoked, or of another account.",
  },
  forbidden: {
    says: 'knows the key, but does not permit the request that verifies it',
    color: 'orange',
    whatToDo: 'Give the key the permission to list models at the provider, or create one that has it.',
  },
  quota: {
    says: 'says that the limit or the balance of the key is used up',
    color: 'orange',
    whatToDo: 'Raise the limit or fill up the balance at the provider. Calls with this key fail until then.',
  },
  wrong_host: {
    says: 'is not at this endpoint',
    color: 'orange',
    whatToDo: "Correct the endpoint: it must be the address of the provider's API.",
  },
  network_rules: {
    says: 'does not admit this server, because of its network rules',
    color: 'orange',
    whatToDo: 'Add the address of Tenkey to the network rules at the provider.',
  },
  unreachable: {
    says: 'cannot be reached, so nothing is known about the key',
    color: 'yellow',
    whatToDo: 'Try again. If it lasts, check the endpoint, and whether this server may reach it.',
  },
  unknown: {
    says: 'gave a response that says nothing about the key',
    color: 'yellow',
    whatToDo: 'Try again in a few minutes.',
  },
};

/** The outcome of a verification with what to do about it. */
export function OutcomeAlert({
  outcome,
  provider,
  children,
}: {
  outcome: Outcome;
  /** Its name for people. */
  provider: string;
  children?: ReactNode;
}) {
  const { says, color, whatToDo } = outcomes[outcome];
  return (
    <Alert
      color={color}
      title={`${provider} ${says}`}
      role={outcome === 'accepted' ? 'status' : 'alert'}
      styles={{ title: { color: 'var(--mantine-color-text)' } }}
    >
      {children}
      {whatToDo !== undefined && (
        <Text size="sm" mt={4} fw={500}>
          {whatToDo}
        </Text>
      )}
    </Alert>
  );
}
