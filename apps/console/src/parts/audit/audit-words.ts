import { type Schemas } from '../../api/client';

export type AuditEvent = Schemas['AuditEventResponse'];
export type Fields = Readonly<Record<string, unknown>>;

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

/** What it was before a change. */
export function before({ details }: AuditEvent): Fields | undefined {
  return fieldsOf(details.before);
}

export function after({ details }: AuditEvent): Fields | undefined {
  return fieldsOf(details.after);
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
