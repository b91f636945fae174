import { type RequestDifferences } from '../provider';
import { type Member, membersOf, withMembers } from './json-members';

/** The body has not exactly one top-level `model`: which one a provider would read is its own choice, so none is sent. */
export class AmbiguousModel extends Error {
  override readonly name = 'AmbiguousModel';
  constructor() {
    super('The request must have exactly one "model".');
  }
}

/** What differs between the request that came and the one that is sent. */
export interface RequestEdits {
  readonly model: string;
  readonly differences?: RequestDifferences;
  /** True: a stream is asked for its usage when the client did not say whether it wants it. */
  readonly usageOption?: boolean;
}

const usageOption = Buffer.from('"stream_options":{"include_usage":true}');

/**
 * Replaces the value of the top-level `model`, renames and leaves out what the provider's file says, and leaves every
 * other byte as the client sent it: numbers beyond a double's range, key order and unknown fields arrive unchanged.
 *
 * @param body one JSON object in UTF-8 that JSON.parse has accepted
 * @returns the names of parameters that had a value and were left out, once each, and whether the usage is asked for
 *   that the client did not ask for
 * @throws AmbiguousModel when `model` is there twice, in whatever spelling, or not at all
 * @throws TooManyParameters
 * @throws SyntaxError when the body is not such an object
 */
export function spliceRequest(
  body: Buffer,
  edits: RequestEdits,
): { body: Buffer; dropped: string[]; asksForUsage: boolean } {
  const members = membersOf(body);
  if (members.filter(({ name }) => name === 'model').length !== 1) throw new AmbiguousModel();
  const isNull = ({ valueStart, valueEnd }: Member) =>
    body.toString('latin1', valueStart, valueEnd) === 'null';
  const names = new Set(members.map(({ name }) => name));
  const said = new Set(members.filter((member) => !isNull(member)).map(({ name }) => name));
  const renamed = new Map(Object.entries(edits.differences?.renamed ?? {}));
  const unsupported = new Set(edits.differences?.unsupported);
  // A null says nothing, so the other name is the one that counts; both would be the same name twice.
  const replacedNulls = new Set(
    [...renamed].flatMap(([name, newName]) => (said.has(name) && !said.has(newName) ? [newName] : [])),
  );
  const dropped = new Set<string>();
  const kept: Buffer[] = [];
  for (const member of members) {
    if (replacedNulls.has(member.name)) continue;
    const newName = renamed.get(member.name);
    const takenNames = isNull(member) ? names : said;
    // The client gave both names: the provider's own is the one it meant for this provider.
    if (unsupported.has(member.name) || (newName !== undefined && takenNames.has(newName))) {
      if (!isNull(member)) dropped.add(member.name);
    } else if (member.name === 'model') {
      kept.push(replaced(body, member, member.valueStart, member.valueEnd, edits.model));
    } else if (newName !== undefined) {
      kept.push(replaced(body, member, member.keyStart, member.keyEnd, newName));
    } else {
      kept.push(body.subarray(member.start, member.end));
    }
  }
  const asksForUsage = edits.usageOption === true && isStream(body, members) && !names.has('stream_options');
  if (asksForUsage) kept.push(usageOption);
  return { body: withMembers(body, members, kept), dropped: [...dropped], asksForUsage };
}

/** Said once: of two, which one a provider would read is its own choice. */
function isStream(body: Buffer, members: readonly Member[]): boolean {
  const [stream, ...others] = members.filter(({ name }) => name === 'stream');
  return (
    stream !== undefined &&
    others.length === 0 &&
    body.toString('latin1', stream.valueStart, stream.valueEnd) === 'true'
  );
}

function replaced(body: Buffer, member: Member, start: number, end: number, text: string): Buffer {
  return Buffer.concat([
    body.subarray(member.start, start),
    Buffer.from(JSON.stringify(text)),
    body.subarray(end, member.end),
  ]);
}
