import { hash } from 'node:crypto';
import { type RequestDifferences } from '../provider';
import { type Member } from './json/json-members';
import { type ObjectAt, ValidJson } from './json/valid-json';

/** Values with which clients fill a field that has no content. */
const emptyValues: ReadonlySet<string> = new Set(['null', '""', '[]', '{}']);
const longestEmptyValue = 4;

/** Bytes of the body, and what is sent in their place. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

const nothing = Buffer.alloc(0);

/** Whether a provider's differences concern the messages. If so, every value in them takes time. */
export function concernMessages({ messageFields, toolCallIdLength }: RequestDifferences): boolean {
  return messageFields !== undefined || toolCallIdLength !== undefined;
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
  { messageFields, toolCallIdLength }: RequestDifferences,
  dropped: Set<string>,
): Replacement[] {
  const json = new ValidJson(body);
  const found: Replacement[] = [];
  for (const message of json.objectsIn(messages.valueStart)) {
    const fields = messageFields && fieldsOf(json, message, messageFields);
    let kept: Member | undefined;
    for (const member of message.members) {
      if (fields?.includes(member.name) === false) {
        if (!isEmpty(body, member)) dropped.add(`messages[].${member.name}`);
        continue;
      }
      // Between two members that are kept, one comma stays.
      if (kept === undefined) leaveOut(message.members[0]!.start, member.start, found);
      else leaveOut(kept.end, member.start - 1, found);
      if (toolCallIdLength !== undefined) addIds(json, member, toolCallIdLength, found);
      kept = member;
    }
    const [first, last] = [message.members[0], message.members.at(-1)];
    if (first && last) leaveOut(kept?.end ?? first.start, last.end, found);
  }
  return found;
}

function leaveOut(start: number, end: number, found: Replacement[]): void {
  if (end > start) found.push({ start, end, bytes: nothing });
}

/** The bytes from `start` to `end` with the replacements, which are within them and in their order. */
export function replaced(
  body: Buffer,
  start: number,
  end: number,
  replacements: readonly Replacement[],
): Buffer[] {
  const parts: Buffer[] = [];
  let at = start;
  for (const each of replacements) {
    parts.push(body.subarray(at, each.start), each.bytes);
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

/** @param member of a message */
function addIds(json: ValidJson, member: Member, length: number, found: Replacement[]): void {
  if (member.name === 'tool_call_id') addId(json, member, length, found);
  if (member.name !== 'tool_calls' || !json.isList(member)) return;
  for (const call of json.objectsIn(member.valueStart)) {
    for (const field of call.members) if (field.name === 'id') addId(json, field, length, found);
  }
}

/** The same id always becomes the same one, so that results still match their calls, in this request and in later ones. */
function addId(json: ValidJson, member: Member, length: number, found: Replacement[]): void {
  const id = json.stringAt(member);
  if (id === undefined || id === '' || (id.length === length && /^[A-Za-z0-9]+$/.test(id))) return;
  const digest = hash('sha256', id, 'buffer');
  let fitting = '';
  for (const byte of digest.subarray(0, length)) fitting += lettersAndDigits[byte % 62];
  found.push({ start: member.valueStart, end: member.valueEnd, bytes: Buffer.from(`"${fitting}"`) });
}

const lettersAndDigits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function isEmpty(body: Buffer, { valueStart, valueEnd }: Member): boolean {
  return (
    valueEnd - valueStart <= longestEmptyValue &&
    emptyValues.has(body.toString('latin1', valueStart, valueEnd))
  );
}
