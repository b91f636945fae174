import { type Schemas } from '../../api/client';

export type Encryption = Schemas['EncryptionResponse'];
export type EncryptionKey = Encryption['keys'][number];

/** Something about the keys that needs the operator, and what to do about it. */
export interface Finding {
  readonly id: string;
  /** error: calls fail or changes are refused. step: a step of replacing the key is due. */
  readonly kind: 'error' | 'step';
  readonly title: string;
  readonly detail: string;
  readonly fix: string;
  /** What it is about, elsewhere in the console. */
  readonly link?: { readonly label: string; readonly to: string };
}

/** Rows of all kinds that are sealed under the key. */
export function rowsOf({ rows }: EncryptionKey): number {
  return rows.live + rows.staged + rows.previous + rows.signing_keys;
}

/** What is wrong and what is due, errors first. */
export function findingsOf(encryption: Encryption): Finding[] {
  const found = encryption.keys.flatMap((key) =>
    key.seals ? ofSealingKey(key, encryption) : ofOtherKey(key, encryption),
  );
  const { older_seals: older } = encryption;
  if (older > 0) {
    found.push({
      id: 'older seals',
      kind: 'step',
      title: `${rows(older)} ${older === 1 ? 'has' : 'have'} a seal of an earlier version of Tenkey`,
      detail:
        'Calls use them. A row whose seal has the newest form is protected against more kinds of changes.',
      fix: 'Start the rotation when all processes run the new version. It seals these rows again too.',
    });
  }
  return found.sort((a, b) => Number(b.kind === 'error') - Number(a.kind === 'error'));
}

function ofSealingKey(
  { key_id: id, loaded, processes }: EncryptionKey,
  { processes: all }: Encryption,
): Finding[] {
  if (processes === 0 || all === 0) {
    return [
      {
        id,
        kind: 'error',
        title: `No process has the key that seals, ${id}`,
        detail: 'No credential that is sealed under it can be used, and none can be stored.',
        fix: 'Set ENCRYPTION_KEY to this key in every process, and restart the processes. If the key is lost for good, npx tenkey encryption accept-loss lets you go on with another one.',
      },
    ];
  }
  if (processes === all && loaded) return [];
  return [
    {
      id,
      kind: 'error',
      title: `${some(all - processes, all)} not have the key that seals, ${id}`,
      detail: 'Calls that reach such a process fail, and it refuses to store credentials.',
      fix: 'Give it this key in ENCRYPTION_KEY, or in ENCRYPTION_KEY_PREVIOUS next to a newer one, and restart it.',
    },
  ];
}

function ofOtherKey(key: EncryptionKey, { processes: all }: Encryption): Finding[] {
  const { key_id: id, processes, retired } = key;
  const sealed = rowsOf(key);
  if (sealed > 0) {
    if (processes === 0) {
      return [
        {
          id,
          kind: 'error',
          title: `No process has the encryption key ${id}, which seals ${sealed === 1 ? 'one row' : `${sealed} rows`}`,
          detail: 'Tenkey cannot read these credentials, so calls with them fail.',
          fix: 'Add this key to ENCRYPTION_KEY_PREVIOUS of every process, and restart the processes. If it is lost, enter the keys of these credentials again.',
          link: { label: 'Show the unreadable credentials', to: '/tenants?status=unreadable' },
        },
      ];
    }
    if (processes < all) {
      return [
        {
          id,
          kind: 'error',
          title: `${some(all - processes, all)} not have the key ${id}, under which ${rows(sealed)} ${sealed === 1 ? 'is' : 'are'} sealed`,
          detail: 'Calls with these credentials fail when they reach such a process.',
          fix: 'Add this key to ENCRYPTION_KEY_PREVIOUS of that process, and restart it.',
        },
      ];
    }
    return [
      {
        id,
        kind: 'step',
        title: `${rows(sealed)} ${sealed === 1 ? 'is' : 'are'} still sealed under ${id}`,
        detail:
          'All processes have this key, so calls work. It must stay loaded until nothing is sealed under it.',
        fix: 'Start the rotation below.',
      },
    ];
  }
  if (processes === 0) return [];
  if (retired) {
    return [
      {
        id,
        kind: 'step',
        title: `The retired key ${id} is still loaded`,
        detail: 'Nothing is sealed under it, and it never seals again.',
        fix: 'Start every process without it in ENCRYPTION_KEY_PREVIOUS, one after the other.',
      },
    ];
  }
  if (processes < all) {
    return [
      {
        id,
        kind: 'step',
        title: `${processes} of ${all} processes have the key ${id}, which seals nothing`,
        detail: 'A new key seals as soon as every process has it.',
        fix: 'If it is the new key, start the other processes with it in ENCRYPTION_KEY and the old one in ENCRYPTION_KEY_PREVIOUS. If it is an old one, start the remaining processes without it.',
      },
    ];
  }
  return [
    {
      id,
      kind: 'step',
      title: `Nothing is sealed under ${id} any more`,
      detail: 'It can be retired. What it signed in the audit and in receipts can still be verified then.',
      fix: `Run npx tenkey encryption retire ${id}, and then start every process without it.`,
    },
  ];
}

function rows(count: number): string {
  return count === 1 ? 'One row' : `${count} rows`;
}

function some(count: number, all: number): string {
  return count === 1 ? `One of ${all} processes does` : `${count} of ${all} processes do`;
}
