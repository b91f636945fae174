/** The actions of changes, for the list to choose from. Refused attempts have the method and the path of their request as action. */
export const actionChoices = [
  {
    group: 'Credentials',
    items: [
      { value: 'credential.set', label: 'Stored or replaced a credential' },
      { value: 'credential.stage', label: 'Staged a credential' },
      { value: 'credential.promote', label: 'Promoted a staged credential' },
      { value: 'credential.rollback', label: 'Rolled back a credential' },
      { value: 'credential.discard', label: 'Discarded a staged or previous credential' },
      { value: 'credential.delete', label: 'Deleted a credential' },
      { value: 'credential.verify', label: 'Verified a credential' },
    ],
  },
  {
    group: 'Tenants',
    items: [
      { value: 'tenant.create', label: 'Created a tenant' },
      { value: 'tenant.update', label: 'Changed a tenant' },
      { value: 'tenant.delete', label: 'Deleted a tenant' },
    ],
  },
  {
    group: 'Keys',
    items: [
      { value: 'key.create', label: 'Created a tenant key' },
      { value: 'key.update', label: 'Changed a tenant key' },
      { value: 'key.delete', label: 'Revoked a tenant key' },
      { value: 'sysadmin-key.create', label: 'Created a sysadmin key' },
      { value: 'sysadmin-key.update', label: 'Changed a sysadmin key' },
      { value: 'sysadmin-key.delete', label: 'Revoked a sysadmin key' },
    ],
  },
  {
    group: 'Console',
    items: [
      { value: 'session.create', label: 'Signed in to the console' },
      { value: 'session.delete', label: 'Signed out of the console' },
    ],
  },
  {
    group: 'Encryption',
    items: [
      { value: 'encryption.rotate', label: 'Started a rotation' },
      { value: 'encryption.pause_rotation', label: 'Paused a rotation' },
      { value: 'encryption.resume_rotation', label: 'Continued a rotation' },
      { value: 'encryption.reseal', label: 'Sealed a batch again' },
      { value: 'encryption.end_rotation', label: 'Finished a rotation' },
      { value: 'encryption.retire', label: 'Retired an encryption key' },
      { value: 'encryption.accept_loss', label: 'Accepted the loss of an encryption key' },
    ],
  },
  { group: 'Audit', items: [{ value: 'audit.expire', label: 'Deleted old audit events' }] },
];

/** With the action of the address, which may be that of a refused attempt. */
export function actionChoicesWith(action: string): typeof actionChoices {
  const isKnown = actionChoices.some(({ items }) => items.some(({ value }) => value === action));
  if (action === '' || isKnown) return actionChoices;
  return [...actionChoices, { group: 'Other', items: [{ value: action, label: action }] }];
}

const labels = new Map(actionChoices.flatMap(({ items }) => items.map(({ value, label }) => [value, label])));

/** In the middle of a sentence, such as "created a tenant"; undefined for the action of a refused attempt. */
export function actionLabel(action: string): string | undefined {
  const label = labels.get(action);
  return label && label[0]!.toLowerCase() + label.slice(1);
}
