import { membersOf, withMembers } from './json-members';

/**
 * The data of one event of a stream that was asked for its usage, as it is when nobody asks: without the null that each
 * event then has in place of the usage, and nothing of the one event that has the usage and no choices.
 * https://platform.openai.com/docs/api-reference/chat-streaming
 *
 * @returns the same bytes when they have neither; undefined for that one event
 */
export function unaskedData(data: Buffer): Buffer | undefined {
  if (!data.includes('"usage"')) return data;
  try {
    const event = JSON.parse(data.toString('utf8')) as {
      choices?: unknown;
      usage?: unknown;
      error?: unknown;
    } | null;
    if (typeof event !== 'object' || event === null) return data;
    const { choices, usage, error = null } = event;
    if (usage === null) return withoutMember(data, 'usage');
    const isUsageAlone =
      Array.isArray(choices) && choices.length === 0 && typeof usage === 'object' && error === null;
    return isUsageAlone ? undefined : data;
  } catch {
    // No event of this format.
    return data;
  }
}

function withoutMember(data: Buffer, name: string): Buffer {
  const members = membersOf(data);
  const others = members.filter((member) => member.name !== name);
  return withMembers(
    data,
    members,
    others.map(({ start, end }) => data.subarray(start, end)),
  );
}
