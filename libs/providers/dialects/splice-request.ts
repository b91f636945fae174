import { type RequestDifferences } from '../provider';
import { type Member, scanObject, withMembers } from './json/json-members';
import { concernMessages, messageReplacements, replaced, type Replacement } from './message-differences';

/**
 * The body has more than one top-level `model`, or none although it needs one. Such a request is never sent, because providers differ in which of
 * two they read.
 */
export class AmbiguousModel extends Error {
  override readonly name = 'AmbiguousModel';
  constructor() {
    super('The request must have exactly one "model".');
  }
}

/** How the request to the provider differs from the client's. */
export interface RequestEdits {
  readonly model: string;
  /** True: a body without `model` gets one. */
  readonly mayLackModel?: boolean;
  readonly differences?: RequestDifferences;
  /** Names of parameters that are left out when they are null. */
  readonly neverNull?: readonly string[];
  /** Asked for a stream whose request has no `stream_options`. True: the usage option is added. */
  readonly hasUsageOption?: () => boolean;
}

const openingBracket = 0x5b;
const usageOption = Buffer.from('"stream_options":{"include_usage":true}');

/**
 * Replaces the value of the top-level `model` or adds it, renames and leaves out parameters and fields of messages according to the
 * provider's differences, and keeps every other byte: numbers beyond the range of a double, the order of keys and unknown
 * fields do not change.
 *
 * @param members of the body, if it was scanned already
 * @returns the new body in parts, which share the memory of the given one; the names of the parameters with a value that were left
 *   out; and whether the usage option was added
 * @throws AmbiguousModel when there is more than one `model`, in any spelling, or none without `mayLackModel`
 * @throws TooManyParameters, TooDeeplyNested
 * @throws SyntaxError when the body is not such an object
 */
export function spliceRequest(
  body: Buffer,
  edits: RequestEdits,
  members: readonly Member[] = scanObject(body).members,
): { parts: readonly Buffer[]; dropped: readonly string[]; isUsageOptionAdded: boolean } {
  const model = onlyMember(members, 'model');
  const isModelAdded = edits.mayLackModel === true && !members.some(({ name }) => name === 'model');
  if (model === undefined && !isModelAdded) throw new AmbiguousModel();
  const isUsageOptionAdded =
    isStream(body, members) &&
    !members.some(({ name }) => name === 'stream_options') &&
    edits.hasUsageOption?.() === true;
  const dropped = new Set<string>();
  const replacements = replacementsIn(body, members, edits, dropped);
  if (members.some((member) => isAffected(body, member, edits))) {
    const kept = withDifferences(body, members, edits, replacements, dropped);
    if (isModelAdded) kept.unshift([Buffer.from(modelMember(edits.model))]);
    if (isUsageOptionAdded) kept.push([usageOption]);
    return { parts: withMembers(body, members, kept), dropped: [...dropped], isUsageOptionAdded };
  }
  const start = members[0]?.start ?? body.indexOf('{') + 1;
  const end = members.at(-1)?.end ?? start;
  replacements.push(modelReplacement(model, edits.model, start, members.length > 0));
  if (replacements.length > 1) replacements.sort((one, other) => one.start - other.start);
  const parts = replaced(body, 0, end, replacements);
  if (isUsageOptionAdded) parts.push(Buffer.from(','), usageOption);
  parts.push(body.subarray(end));
  return { parts, dropped: [...dropped], isUsageOptionAdded };
}

/** What replaces the value of `model`, or is inserted in front of the other members. */
function modelReplacement(
  member: Member | undefined,
  model: string,
  start: number,
  hasMembers: boolean,
): Replacement {
  if (member !== undefined) {
    return { start: member.valueStart, end: member.valueEnd, bytes: Buffer.from(JSON.stringify(model)) };
  }
  const bytes = Buffer.from(hasMembers ? `${modelMember(model)},` : modelMember(model));
  return { start, end: start, bytes };
}

function modelMember(model: string): string {
  return `"model":${JSON.stringify(model)}`;
}

function onlyMember(members: readonly Member[], name: string): Member | undefined {
  let found: Member | undefined;
  for (const member of members) {
    if (member.name !== name) continue;
    if (found !== undefined) return undefined;
    found = member;
  }
  return found;
}

function isAffected(body: Buffer, member: Member, { differences = {}, neverNull }: RequestEdits): boolean {
  const { renamed, unsupported } = differences;
  const { name } = member;
  return (
    (renamed !== undefined && Object.hasOwn(renamed, name)) ||
    unsupported?.includes(name) === true ||
    (neverNull?.includes(name) === true && isNull(body, member))
  );
}

/** What differs within the messages. */
function replacementsIn(
  body: Buffer,
  members: readonly Member[],
  { differences = {} }: RequestEdits,
  dropped: Set<string>,
): Replacement[] {
  if (!concernMessages(differences)) return [];
  const messages = onlyMember(members, 'messages');
  if (messages === undefined || body[messages.valueStart] !== openingBracket) return [];
  return messageReplacements(body, messages, differences, dropped);
}

function isNull(body: Buffer, { valueStart, valueEnd }: Member): boolean {
  return body.toString('latin1', valueStart, valueEnd) === 'null';
}

/**
 * @param dropped receives the names of the parameters with a value that are left out
 * @returns the members that are sent
 */
function withDifferences(
  body: Buffer,
  members: readonly Member[],
  { model, differences = {}, neverNull }: RequestEdits,
  replacements: readonly Replacement[],
  dropped: Set<string>,
): Buffer[][] {
  const names = new Set(members.map(({ name }) => name));
  const namesWithValue = new Set(members.filter((member) => !isNull(body, member)).map(({ name }) => name));
  const renamed = new Map(Object.entries(differences.renamed ?? {}));
  const unsupported = new Set(differences.unsupported);
  // A null has no meaning, so it gives way to a renamed parameter. Otherwise the body would have the name twice.
  const replacedNulls = new Set(
    [...renamed].flatMap(([name, newName]) =>
      namesWithValue.has(name) && !namesWithValue.has(newName) ? [newName] : [],
    ),
  );
  const kept: Buffer[][] = [];
  for (const member of members) {
    if (replacedNulls.has(member.name)) continue;
    if (neverNull?.includes(member.name) && isNull(body, member)) continue;
    const newName = renamed.get(member.name);
    // If the client sent both names, the provider's own name takes precedence.
    const takenNames = isNull(body, member) ? names : namesWithValue;
    if (unsupported.has(member.name) || (newName !== undefined && takenNames.has(newName))) {
      if (!isNull(body, member)) dropped.add(member.name);
    } else if (member.name === 'model') {
      kept.push([withText(body, member, member.valueStart, member.valueEnd, model)]);
    } else if (newName !== undefined) {
      kept.push([withText(body, member, member.keyStart, member.keyEnd, newName)]);
    } else if (member.name === 'messages') {
      kept.push(replaced(body, member.start, member.end, replacements));
    } else {
      kept.push([body.subarray(member.start, member.end)]);
    }
  }
  return kept;
}

/** True if `stream` is true and occurs once, because providers differ in which of two they read. */
function isStream(body: Buffer, members: readonly Member[]): boolean {
  const stream = onlyMember(members, 'stream');
  return stream !== undefined && body.toString('latin1', stream.valueStart, stream.valueEnd) === 'true';
}

function withText(body: Buffer, member: Member, start: number, end: number, text: string): Buffer {
  return Buffer.concat([
    body.subarray(member.start, start),
    Buffer.from(JSON.stringify(text)),
    body.subarray(end, member.end),
  ]);
}
