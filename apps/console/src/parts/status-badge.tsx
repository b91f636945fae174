import { Badge, type MantineColor } from '@mantine/core';
import { type Schemas } from '../api/client';

export type CredentialStatus = Schemas['CredentialStatus'];

/** How a status looks. The letter tells them apart where there is no room for the word, and for readers who see no colours. */
export interface StatusLook {
  readonly label: string;
  readonly letter: string;
  readonly color: MantineColor;
  /** For a tooltip. */
  readonly meaning: string;
}

export const statusLooks: Readonly<Record<CredentialStatus | 'missing' | 'none', StatusLook>> = {
  tampered: {
    label: 'tampered',
    letter: 'T',
    color: 'grape',
    meaning: 'The row was changed outside Tenkey.',
  },
  unreadable: {
    label: 'unreadable',
    letter: 'U',
    color: 'grape',
    meaning: 'It is sealed under an encryption key that is not loaded.',
  },
  plaintext: {
    label: 'plaintext',
    letter: 'P',
    color: 'grape',
    meaning: 'It is stored unsealed, and not used.',
  },
  rejected: { label: 'rejected', letter: 'R', color: 'red', meaning: 'The provider refused the key.' },
  missing: {
    label: 'missing',
    letter: 'M',
    color: 'red',
    meaning: 'The tenant is expected to have a credential, and has none.',
  },
  expired: {
    label: 'expired',
    letter: 'X',
    color: 'orange',
    meaning: 'Its expiry is in the past; it is still used.',
  },
  expiring: { label: 'expiring', letter: 'E', color: 'yellow', meaning: 'It expires within 30 days.' },
  ready: { label: 'ready', letter: '✓', color: 'teal', meaning: 'Calls can use it.' },
  none: {
    label: 'no credential',
    letter: '·',
    color: 'gray',
    meaning: 'The tenant has no credential for this provider.',
  },
};

export function StatusBadge({ status }: { status: keyof typeof statusLooks }) {
  const { label, color, meaning } = statusLooks[status];
  return (
    <Badge color={color} variant="light" title={meaning} tt="none">
      {label}
    </Badge>
  );
}
