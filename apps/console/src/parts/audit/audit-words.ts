import { type Schemas } from '../../api/client';

export type AuditEvent = Schemas['AuditEventResponse'];
type Fields = Readonly<Record<string, unknown>>;

/** Who it was, such as "helpdesk" for the sysadmin key with this name. */
export function actorOf({ actor }: AuditEvent): string {
  if (actor.startsWith('super-key ')) return 'The super key';
  if (actor === 'cli') return 'The command line';
  if (actor === 'tenkey') return 'Tenkey itself';
  if (actor === 'nobody') return 'Somebody without a key';
  if (actor === 'several') return 'Several clients';
  if (actor.endsWith('(not accepted)')) return `Somebody with a key that is not accepted`;
  const name = /^sysadmin-key (.+) \S+$/.exec(actor)?.[1];
  return name === undefined ? actor : `The sysadmin key “${name}”`;
}

/** What was done, to be read after who did it. An action that has no words here is named as it is. */
export function deedOf(event: AuditEvent): string {
  if (event.outcome === 'refused') return refusalOf(event);
  return deeds[event.action]?.(event) ?? event.action;
}

const deeds: Readonly<Record<string, (event: AuditEvent) => string>> = {
  'tenant.create': () => 'created the tenant',
  'tenant.update': tenantChange,
  'tenant.delete': ({ details }) =>
    details.erased === true ? 'deleted the tenant and erased its name and contact' : 'deleted the tenant',
  'credential.set': (event) =>
    before(event) === undefined
      ? `stored ${credential(event, after(event))}`
      : `replaced ${credential(event, before(event))} by ${mask(after(event))}`,
  'credential.stage': (event) => `staged ${credential(event, after(event))}`,
  'credential.promote': (event) =>
    before(event) === undefined
      ? `promoted ${credential(event, after(event))}`
      : `promoted ${credential(event, after(event))} in place of ${mask(before(event))}`,
  'credential.rollback': (event) =>
    `rolled back to ${credential(event, after(event))}${before(event) === undefined ? '' : ` from ${mask(before(event))}`}`,
  'credential.discard': (event) =>
    `discarded ${credential(event, before(event), textOf(event.details.slot))}`,
  'credential.delete': (event) => `deleted ${credential(event, before(event))}`,
  'credential.verify': (event) =>
    `verified ${credential(event, event.details)}, with the result “${textOf(event.details.outcome)}”`,
  'credential.verify_all': () => 'started to verify all keys',
  'credential.resume_verification': () => 'resumed the verification of all keys',
  'credential.pause_verification': () => 'paused the verification of all keys',
  'key.create': (event) => `issued the tenant key ${name(after(event))}`,
  'key.update': (event) => `changed the tenant key ${name(after(event))}`,
  'key.delete': (event) => `revoked the tenant key ${name(before(event))}`,
  'sysadmin-key.create': (event) => `issued the sysadmin key ${name(after(event))}`,
  'sysadmin-key.update': (event) => `changed the sysadmin key ${name(after(event))}`,
  'sysadmin-key.delete': (event) => `revoked the sysadmin key ${name(before(event))}`,
  'session.create': () => 'signed in to the console',
  'session.delete': () => 'signed out of the console',
  'encryption.rotate': () => 'started to seal everything again',
  'encryption.resume_rotation': () => 'resumed sealing everything again',
  'encryption.pause_rotation': () => 'paused sealing everything again',
  'encryption.reseal': () => 'sealed a part of the credentials again',
  'encryption.end_rotation': () => 'finished sealing everything again',
  'encryption.retire': () => 'retired an encryption key',
  'encryption.accept_loss': () => 'accepted that the old encryption key is lost',
  'audit.expire': () => 'deleted audit events that were older than the retention',
};

function tenantChange(event: AuditEvent): string {
  const changed = changesOf(event).map(({ field }) => field);
  if (changed.length === 1 && changed[0] === 'state')
    return after(event)?.state === 'suspended' ? 'suspended the tenant' : 'reactivated the tenant';
  return `changed the tenant's ${changed.map(wordsOf).join(', ')}`;
}

function refusalOf({ action, details, provider }: AuditEvent): string {
  if (action === 'others') return 'was refused many times';
  const further = Number(details.further_times ?? 0);
  const [method = '', path = ''] = action.split(' ');
  const what = path.replace(/^\/api\/v1\/sysadmin\//, '').replace(':provider', provider ?? ':provider');
  const times = further === 0 ? '' : further === 1 ? ', once more' : `, ${further} more times`;
  return `was refused: ${method} ${what.replace(/^tenants\/:tenant_id\/?/, '')}${times}`.trim();
}

/** A field that an event changed. */
export interface FieldChange {
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The fields in `before` and `after` that differ; all of them if there is only one of the two. */
export function changesOf(event: AuditEvent): FieldChange[] {
  const [old = {}, now = {}] = [before(event), after(event)];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .map((field) => ({ field, before: old[field], after: now[field] }))
    .filter(({ before: a, after: b }) => JSON.stringify(a ?? null) !== JSON.stringify(b ?? null));
}

/** What else an event says. */
export function restOf({ details }: AuditEvent): [string, unknown][] {
  return Object.entries(details).filter(([field]) => field !== 'before' && field !== 'after');
}

/** Such as "contact email" for `contact_email`. */
export function wordsOf(field: string): string {
  return field.replaceAll('_', ' ');
}

/** A value of a JSON object, for a table. The hash of a personal value is shown once the value was erased, and says nothing to a reader. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null) return '–';
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((each) => typeof each === 'string'))
    return value.length === 0 ? 'none' : value.join(', ');
  if (typeof value === 'object' && 'salted_hash' in value) return 'erased';
  return JSON.stringify(value, undefined, 1);
}

function before({ details }: AuditEvent): Fields | undefined {
  return fieldsOf(details.before);
}

function after({ details }: AuditEvent): Fields | undefined {
  return fieldsOf(details.after);
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function credential({ provider }: AuditEvent, of: Fields | undefined, slot = ''): string {
  return `the ${slot === '' ? '' : `${slot} `}${provider ?? ''} credential ${mask(of)}`.trim();
}

function mask(of: Fields | undefined): string {
  return textOf(of?.mask);
}

function name(of: Fields | undefined): string {
  return `“${textOf(of?.name)}”`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
