import { declarableKinds, declaredProvider, faultOfProviderId, isTakenId } from '#providers';
import { takenVariableOf, variablesOf } from '#config';
import { declaredIdOf } from './declared-id';

describe('the id of a declared provider', () => {
  it.each([
    ['GDM', [], 'gdm'],
    ['Sundsvall vLLM (production)', [], 'sundsvall_vllm_production'],
    ['gpt-4o--eu', [], 'gpt_4o_eu'],
    ['_a_', [], 'a'],
    ['4o-mini', [], 'provider_4o_mini'],
    ['日本', [], 'provider'],
    ['', [], 'provider'],
    ['llama', ['llama'], 'llama_2'],
    ['llama', ['llama', 'llama_2'], 'llama_3'],
    ['llama-70b', ['llama-70b'], 'llama_70b_2'],
    ['a'.repeat(60), [], 'a'.repeat(40)],
    ['a'.repeat(60), ['a'.repeat(40)], `${'a'.repeat(38)}_2`],
    [`${'a'.repeat(37)}_bcdef`, ['x', `${'a'.repeat(37)}_bc`], `${'a'.repeat(37)}_2`],
    ['openai', [], 'openai_2'],
    ['hosted-vllm', [], 'hosted_vllm_2'],
    ['platform', [], 'platform_2'],
  ] as [string, string[], string][])('of %p with %p taken is %s', (name, taken, id) => {
    expect(declaredIdOf(name, taken)).toBe(id);
    expect(faultOfProviderId(id)).toBeUndefined();
    expect(isTakenId(id)).toBe(false);
    for (const kind of declarableKinds) {
      const others = taken.map((each) => declaredProvider({ id: each, kind, label: each }));
      const variables = new Set(others.flatMap(variablesOf));
      expect(takenVariableOf(declaredProvider({ id, kind, label: id }), variables)).toBeUndefined();
    }
  });

  it('is cut from a name of any length', () => {
    expect(declaredIdOf('x'.repeat(1_000_000), [])).toBe('x'.repeat(40));
  });

  it('is unique for any number of providers with one name', () => {
    const taken = new Set<string>();
    for (let count = 0; count < 100; count += 1) taken.add(declaredIdOf('The same name', taken));
    expect(taken.size).toBe(100);
    expect(taken).toContain('the_same_name_100');
  });
});
