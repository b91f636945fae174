import { faultOfProviderId, type Provider, type Timeouts } from '#providers';
import { type Kind } from './kinds';

/**
 * Ten minutes to the first byte, as the providers' own clients wait: the response of a long reasoning request arrives all at
 * once.
 */
const usual: Timeouts = { connectMs: 10_000, firstByteMs: 600_000, idleMs: 300_000 };

const phases: Readonly<Record<string, keyof Timeouts>> = {
  connect: 'connectMs',
  first_byte: 'firstByteMs',
  idle: 'idleMs',
};

/** The usual timeout of each phase in seconds, for the description of the setting. */
export const usualSeconds = Object.entries(phases)
  .map(([phase, name]) => `\`${phase}\` (${usual[name] / 1000})`)
  .join(', ');

/** The timeouts of each provider. */
export interface TimeoutsOf {
  (provider: Provider): Timeouts;
  /** The providers that entries name. Whether each exists is known only with the catalogue, which may declare some. */
  readonly named: readonly string[];
}

/**
 * Reads `first_byte=120,vllm.first_byte=1800`: seconds, for all providers or for one. The most specific wins: the variable
 * for the provider, the variable for all providers, the provider's file, the usual value.
 */
export const timeouts: Kind<TimeoutsOf> = {
  rule: `must be entries like \`first_byte=600\` or \`vllm.idle=900\`, comma-separated: ${Object.keys(phases).join(', ')}, each more than 0 and at most 86400 seconds.`,
  parse(list, refuse) {
    const forAll: Partial<Record<keyof Timeouts, number>> = {};
    const forOne = new Map<string, Partial<Record<keyof Timeouts, number>>>();
    let isFaulty = false;
    for (const entry of list.split(',').filter((each) => each.trim() !== '')) {
      const [, id, phase = '', number] = /^(?:([^.]+)\.)?([a-z_]+)=(\d+(?:\.\d+)?)$/.exec(entry.trim()) ?? [];
      const name = Object.hasOwn(phases, phase) ? phases[phase] : undefined;
      const seconds = Number(number);
      const isId = id === undefined || faultOfProviderId(id) === undefined;
      if (name === undefined || !isId || !(seconds > 0 && seconds <= 86_400)) {
        isFaulty = true;
        continue;
      }
      const target = id === undefined ? forAll : (forOne.get(id) ?? {});
      target[name] = seconds * 1000;
      if (id !== undefined) forOne.set(id, target);
    }
    if (isFaulty) refuse();
    const of = (provider: Provider) => ({
      ...usual,
      ...provider.timeouts,
      ...forAll,
      ...forOne.get(provider.id),
    });
    return Object.assign(of, { named: [...forOne.keys()] });
  },
};
