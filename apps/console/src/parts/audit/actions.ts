import { type AuditEvent, after, before, changesOf, type Fields, textOf, wordsOf } from './audit-words';

interface Action {
  /** For a list to choose from. */
  readonly label: string;
  /** What was done, to be read after who did it. Absent: the label says it. */
  readonly deed?: (event: AuditEvent) => string;
}

/** The actions of all changes, in the groups and in the order of the list. */
export const actionGroups: Readonly<Record<string, Readonly<Record<string, Action>>>> = {
  Credentials: {
    'credential.set': {
      label: 'Stored or replaced a credential',
      deed: (event) =>
        before(event) === undefined
          ? `stored ${credential(event, after(event))}`
          : `replaced ${credential(event, before(event))} by ${mask(after(event))}`,
    },
    'credential.stage': {
      label: 'Staged a credential',
      deed: (event) => `staged ${credential(event, after(event))}`,
    },
    'credential.promote': {
      label: 'Promoted a staged credential',
      deed: (event) =>
        `promoted ${credential(event, after(event))}${before(event) === undefined ? '' : ` in place of ${mask(before(event))}`}`,
    },
    'credential.rollback': {
      label: 'Rolled back a credential',
      deed: (event) =>
        `rolled back to ${credential(event, after(event))}${before(event) === undefined ? '' : ` from ${mask(before(event))}`}`,
    },
    'credential.discard': {
      label: 'Discarded a staged or previous credential',
      deed: (event) => `discarded ${credential(event, before(event), textOf(event.details.slot))}`,
    },
    'credential.delete': {
      label: 'Deleted a credential',
      deed: (event) => `deleted ${credential(event, before(event))}`,
    },
    'credential.verify': {
      label: 'Verified a credential',
      deed: (event) =>
        `verified ${credential(event, event.details)}, with the result “${textOf(event.details.outcome)}”`,
    },
    'credential.verify_all': { label: 'Started to verify all keys' },
    'credential.pause_verification': { label: 'Paused the verification of all keys' },
    'credential.resume_verification': { label: 'Continued the verification of all keys' },
  },
  Tenants: {
    'tenant.create': { label: 'Created a tenant', deed: () => 'created the tenant' },
    'tenant.update': { label: 'Changed a tenant', deed: tenantChange },
    'tenant.delete': {
      label: 'Deleted a tenant',
      deed: ({ details }) =>
        `deleted the tenant${details.erased === true ? ' and erased its name and contact' : ''}`,
    },
  },
  Keys: {
    'key.create': ofKey('Created', 'tenant', after),
    'key.update': ofKey('Changed', 'tenant', after),
    'key.delete': ofKey('Revoked', 'tenant', before),
    'sysadmin-key.create': ofKey('Created', 'sysadmin', after),
    'sysadmin-key.update': ofKey('Changed', 'sysadmin', after),
    'sysadmin-key.delete': ofKey('Revoked', 'sysadmin', before),
  },
  Console: {
    'session.create': { label: 'Signed in to the console' },
    'session.delete': { label: 'Signed out of the console' },
  },
  Encryption: {
    'encryption.rotate': { label: 'Started a rotation' },
    'encryption.pause_rotation': { label: 'Paused a rotation' },
    'encryption.resume_rotation': { label: 'Continued a rotation' },
    'encryption.reseal': { label: 'Sealed a batch again' },
    'encryption.end_rotation': { label: 'Finished a rotation' },
    'encryption.retire': { label: 'Retired an encryption key' },
    'encryption.accept_loss': { label: 'Accepted the loss of an encryption key' },
  },
  Audit: {
    'audit.expire': {
      label: 'Deleted old audit events',
      deed: () => 'deleted audit events that were older than the retention',
    },
  },
};

const actions = new Map(Object.values(actionGroups).flatMap((group) => Object.entries(group)));

/** For a list to choose from, with the action of the address, which may be that of a refused attempt. */
export function actionChoicesWith(
  action: string,
): { group: string; items: { value: string; label: string }[] }[] {
  const choices = Object.entries(actionGroups).map(([group, its]) => ({
    group,
    items: Object.entries(its).map(([value, { label }]) => ({ value, label })),
  }));
  if (action === '' || actions.has(action)) return choices;
  return [...choices, { group: 'Other', items: [{ value: action, label: action }] }];
}

/** In the middle of a sentence, such as "created a tenant". An action that has no words here is named as it is. */
export function actionLabel(action: string): string {
  const label = actions.get(action)?.label;
  return label === undefined ? action : label[0]!.toLowerCase() + label.slice(1);
}

/** What was done, to be read after who did it. */
export function deedOf(event: AuditEvent): string {
  if (event.outcome === 'refused') return refusalOf(event);
  return actions.get(event.action)?.deed?.(event) ?? actionLabel(event.action);
}

/** Refused attempts have the method and the path of their request as action. */
function refusalOf({ action, details, provider }: AuditEvent): string {
  if (action === 'others') return 'was refused many times';
  const further = Number(details.further_times ?? 0);
  const [method = '', path = ''] = action.split(' ');
  const what = path.replace(/^\/api\/v1\/sysadmin\//, '').replace(':provider', provider ?? ':provider');
  const times = further === 0 ? '' : further === 1 ? ', once more' : `, ${further} more times`;
  return `was refused: ${method} ${what.replace(/^tenants\/:tenant_id\/?/, '')}${times}`.trim();
}

function ofKey(verb: string, kind: string, stateOf: (event: AuditEvent) => Fields | undefined): Action {
  return {
    label: `${verb} a ${kind} key`,
    deed: (event) => `${verb.toLowerCase()} the ${kind} key “${textOf(stateOf(event)?.name)}”`,
  };
}

function tenantChange(event: AuditEvent): string {
  const changed = changesOf(event).map(({ field }) => field);
  if (changed.length === 1 && changed[0] === 'state')
    return after(event)?.state === 'suspended' ? 'suspended the tenant' : 'reactivated the tenant';
  return `changed the tenant's ${changed.map(wordsOf).join(', ')}`;
}

function credential({ provider }: AuditEvent, of: Fields | undefined, slot = ''): string {
  return `the ${slot === '' ? '' : `${slot} `}${provider ?? ''} credential ${mask(of)}`.trim();
}

function mask(of: Fields | undefined): string {
  return textOf(of?.mask);
}
