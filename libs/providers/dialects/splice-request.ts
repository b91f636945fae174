import { type RequestDifferences } from '../provider';
import { type Member, scanObject, withMembers } from './json-members';

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
  /** Asked for a stream whose request has no `stream_options`. True: the usage option is added. */
  readonly hasUsageOption?: () => boolean;
}

const usageOption = Buffer.from('"stream_options":{"include_usage":true}');

/**
 * Replaces the value of the top-level `model` or adds it, renames and leaves out parameters according to the provider's differences,
 * and keeps every other byte: numbers beyond the range of a double, the order of keys and unknown fields do not change.
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
  const { differences } = edits;
  if (differences !== undefined && members.some(({ name }) => isAffected(name, differences))) {
    const { kept, dropped } = withDifferences(body, members, edits.model, differences);
    if (isModelAdded) kept.unshift(modelMember(edits.model));
    if (isUsageOptionAdded) kept.push(usageOption);
    return { parts: withMembers(body, members, kept), dropped, isUsageOptionAdded };
  }
  const start = members[0]?.start ?? body.indexOf('{') + 1;
  const end = members.at(-1)?.end ?? start;
  const parts =
    model === undefined
      ? [body.subarray(0, start), modelMember(edits.model), body.subarray(start, end)]
      : [
          body.subarray(0, model.valueStart),
          Buffer.from(JSON.stringify(edits.model)),
          body.subarray(model.valueEnd, end),
        ];
  if (isModelAdded && members.length > 0) parts.splice(2, 0, Buffer.from(','));
  if (isUsageOptionAdded) parts.push(Buffer.from(','), usageOption);
  parts.push(body.subarray(end));
  return { parts, dropped: [], isUsageOptionAdded };
}

function modelMember(model: string): Buffer {
  return Buffer.from(`"model":${JSON.stringify(model)}`);
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

function isAffected(name: string, { renamed, unsupported }: RequestDifferences): boolean {
  return (renamed !== undefined && Object.hasOwn(renamed, name)) || unsupported?.includes(name) === true;
}

/** @returns the members that are sent, and the names of the parameters with a value that are not */
function withDifferences(
  body: Buffer,
  members: readonly Member[],
  model: string,
  differences: RequestDifferences,
): { kept: Buffer[]; dropped: string[] } {
  const isNull = ({ valueStart, valueEnd }: Member) =>
    body.toString('latin1', valueStart, valueEnd) === 'null';
  const names = new Set(members.map(({ name }) => name));
  const namesWithValue = new Set(members.filter((member) => !isNull(member)).map(({ name }) => name));
  const renamed = new Map(Object.entries(differences.renamed ?? {}));
  const unsupported = new Set(differences.unsupported);
  // A null has no meaning, so it gives way to a renamed parameter. Otherwise the body would have the name twice.
  const replacedNulls = new Set(
    [...renamed].flatMap(([name, newName]) =>
      namesWithValue.has(name) && !namesWithValue.has(newName) ? [newName] : [],
    ),
  );
  const dropped = new Set<string>();
  const kept: Buffer[] = [];
  for (const member of members) {
    if (replacedNulls.has(member.name)) continue;
    const newName = renamed.get(member.name);
    // If the client sent both names, the provider's own name takes precedence.
    const takenNames = isNull(member) ? names : namesWithValue;
    if (unsupported.has(member.name) || (newName !== undefined && takenNames.has(newName))) {
      if (!isNull(member)) dropped.add(member.name);
    } else if (member.name === 'model') {
      kept.push(replaced(body, member, member.valueStart, member.valueEnd, model));
    } else if (newName !== undefined) {
      kept.push(replaced(body, member, member.keyStart, member.keyEnd, newName));
    } else {
      kept.push(body.subarray(member.start, member.end));
    }
  }
  return { kept, dropped: [...dropped] };
}

/** True if `stream` is true and occurs once, because providers differ in which of two they read. */
function isStream(body: Buffer, members: readonly Member[]): boolean {
  const stream = onlyMember(members, 'stream');
  return stream !== undefined && body.toString('latin1', stream.valueStart, stream.valueEnd) === 'true';
}

function replaced(body: Buffer, member: Member, start: number, end: number, text: string): Buffer {
  return Buffer.concat([
    body.subarray(member.start, start),
    Buffer.from(JSON.stringify(text)),
    body.subarray(end, member.end),
  ]);
}
