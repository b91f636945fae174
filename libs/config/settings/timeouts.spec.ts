import { type Provider, ProviderRegistry } from '#providers';
import { timeouts } from './timeouts';

const registry = new ProviderRegistry();

const openai = registry.find('openai') as Provider;
const vllm = registry.find('vllm') as Provider;

function timeoutsFrom(text: string) {
  return timeouts.parse(text, (reason = timeouts.rule) => {
    throw new Error(reason);
  });
}

describe('UPSTREAM_TIMEOUTS', () => {
  it('changes what it names, for all or for one provider, and nothing else', () => {
    const of = timeoutsFrom(' first_byte=120, vllm.first_byte=1800,vllm.idle=0.5 ,');
    expect(of(openai)).toMatchObject({ connectMs: 10_000, firstByteMs: 120_000, idleMs: 300_000 });
    expect(of(vllm)).toMatchObject({ firstByteMs: 1_800_000, idleMs: 500 });
  });

  it('takes precedence over the file of the provider', () => {
    const slow: Provider = { ...openai, timeouts: { idleMs: 7 } };
    expect(timeoutsFrom('')(slow).idleMs).toBe(7);
    expect(timeoutsFrom('idle=9')(slow).idleMs).toBe(9000);
  });

  it.each([
    'q7zk',
    'idle',
    'idle=',
    'idle=0',
    'idle=-1',
    'idle=90000',
    'q7-.idle=1',
    'constructor=1',
    'idle=1e9',
  ])('refuses %j without repeating it', (text) => {
    const refuse = jest.fn();
    timeouts.parse(text, refuse);
    // Without an argument the fault is the rule, which does not depend on the text.
    expect(refuse.mock.calls).toEqual([[]]);
    expect(timeouts.rule).toMatch(/first_byte/);
  });
});
