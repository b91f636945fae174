import { hash } from 'node:crypto';
import { type RequestDifferences } from '../provider';
import { type Member, separated } from './json/json-members';
import { type ObjectAt, ValidJson } from './json/valid-json';

/** Values with which clients fill a field that has no content. */
const emptyValues: ReadonlySet<string> = new Set(['null', '""', '[]', '{}']);
const longestEmptyValue = 4;

/** Bytes of the body, and what is sent in their place. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly parts: readonly Buffer[];
}

/**
 * Finds what a provider's differences change in the messages of a chat.
 *
 * @param body valid JSON
 * @param messages the member with the list of messages
 * @param dropped receives the names of the fields with content that are left out
 * @returns in the order of the body; empty when the provider accepts the messages as they are
 */
export function messageReplacements(
  body: Buffer,
  messages: Member,
  differences: RequestDifferences,
  dropped: string[],
): Replacement[] {
  const json = new ValidJson(body);
  const found: Replacement[] = [];
  for (const message of json.objectsIn(messages.valueStart)) {
    const { messageFields, toolCallIdLength } = differences;
    const length = found.length;
    if (toolCallIdLength !== undefined) addIds(json, message, toolCallIdLength, found);
    if (messageFields === undefined) continue;
    const fields = fieldsOf(json, message, messageFields);
    if (fields === undefined || message.members.every(({ name }) => fields.includes(name))) continue;
    // The replacements of ids lie within the members that are kept.
    const ofIds = found.splice(length);
    found.push(withoutOthers(json, message, fields, ofIds, dropped));
  }
  return found;
}

/** The bytes from `start` to `end` with the replacements. */
export function replaced(
  body: Buffer,
  start: number,
  end: number,
  replacements: readonly Replacement[],
): Buffer[] {
  const parts: Buffer[] = [];
  let at = start;
  for (const each of replacements) {
    if (each.start < start || each.end > end) continue;
    parts.push(body.subarray(at, each.start), ...each.parts);
    at = each.end;
  }
  parts.push(body.subarray(at, end));
  return parts;
}

function fieldsOf(
  json: ValidJson,
  { members }: ObjectAt,
  messageFields: Readonly<Record<string, readonly string[]>>,
): readonly string[] | undefined {
  const role = members.findLast(({ name }) => name === 'role');
  const name = role && json.stringAt(role);
  return name !== undefined && Object.hasOwn(messageFields, name) ? messageFields[name] : undefined;
}

function withoutOthers(
  json: ValidJson,
  { members }: ObjectAt,
  fields: readonly string[],
  ofIds: readonly Replacement[],
  dropped: string[],
): Replacement {
  const kept: Buffer[][] = [];
  for (const member of members) {
    if (fields.includes(member.name)) kept.push(replaced(json.body, member.start, member.end, ofIds));
    else if (!isEmpty(json.body, member)) dropped.push(`messages[].${member.name}`);
  }
  return { start: members[0]!.start, end: members.at(-1)!.end, parts: separated(kept) };
}

function addIds(json: ValidJson, { members }: ObjectAt, length: number, found: Replacement[]): void {
  for (const member of members) {
    if (member.name === 'tool_call_id') addId(json, member, length, found);
    if (member.name !== 'tool_calls' || !json.isList(member)) continue;
    for (const call of json.objectsIn(member.valueStart)) {
      for (const field of call.members) if (field.name === 'id') addId(json, field, length, found);
    }
  }
}

/** The same id always becomes the same one, so that results still match their calls, in this request and in later ones. */
function addId(json: ValidJson, member: Member, length: number, found: Replacement[]): void {
  const id = json.stringAt(member);
  if (id === undefined || id === '' || (id.length === length && /^[A-Za-z0-9]+$/.test(id))) return;
  const digest = hash('sha256', id, 'buffer');
  let fitting = '';
  for (const byte of digest.subarray(0, length)) fitting += lettersAndDigits[byte % 62];
  found.push({ start: member.valueStart, end: member.valueEnd, parts: [Buffer.from(`"${fitting}"`)] });
}

const lettersAndDigits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function isEmpty(body: Buffer, { valueStart, valueEnd }: Member): boolean {
  return (
    valueEnd - valueStart <= longestEmptyValue &&
    emptyValues.has(body.toString('latin1', valueStart, valueEnd))
  );
}
