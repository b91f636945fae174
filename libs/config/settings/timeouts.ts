import { type Provider, providers, type Timeouts } from '#providers';

/** Ten minutes to the head, as the providers' own clients wait: a long reasoning answer comes all at once. */
const usual: Timeouts = { connectMs: 10_000, firstByteMs: 600_000, idleMs: 300_000 };

const names: Readonly<Record<string, keyof Timeouts>> = {
  connect: 'connectMs',
  first_byte: 'firstByteMs',
  idle: 'idleMs',
};

/**
 * Reads UPSTREAM_TIMEOUTS, `first_byte=120,vllm.first_byte=1800`: seconds, for all providers or for one. The most
 * specific wins: variable for the provider, variable for all, provider file, usual value.
 * @returns the timeouts of a provider, and what is wrong with the text without repeating it
 */
export function parseTimeouts(text: string): { of: (provider: Provider) => Timeouts; fault?: string } {
  const forAll: Partial<Record<keyof Timeouts, number>> = {};
  const forOne = new Map<string, Partial<Record<keyof Timeouts, number>>>();
  const form = `must be seconds like first_byte=600,vllm.idle=900 with ${Object.keys(names).join(', ')}.`;
  let fault: string | undefined;
  for (const entry of text.split(',').filter((each) => each.trim() !== '')) {
    const match = /^(?:([a-z_]+)\.)?([a-z_]+)=(\d+(?:\.\d+)?)$/.exec(entry.trim());
    const name = Object.hasOwn(names, match?.[2] ?? '') ? names[match?.[2] ?? ''] : undefined;
    const seconds = Number(match?.[3]);
    const id = match?.[1];
    const isKnown = id === undefined || providers.some((provider) => provider.id === id);
    if (name === undefined || !isKnown || !(seconds > 0 && seconds <= 86_400)) {
      fault ??= `${form} Each more than 0 and at most 86400.`;
      continue;
    }
    const target = id === undefined ? forAll : (forOne.get(id) ?? {});
    target[name] = seconds * 1000;
    if (id !== undefined) forOne.set(id, target);
  }
  return {
    of: (provider) => ({ ...usual, ...provider.timeouts, ...forAll, ...forOne.get(provider.id) }),
    ...(fault !== undefined && { fault }),
  };
}
