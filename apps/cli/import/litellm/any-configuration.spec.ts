import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { madeImport } from '../made-import';
import { planOf } from './plan';

const folder = mkdtempSync(join(tmpdir(), 'litellm-'));
afterAll(() => rmSync(folder, { recursive: true }));

const oneOf = (...values: unknown[]) => fc.constantFrom(...values);
const words = (text: string) => fc.constantFrom(...text.split(' '));
const secrets = ['fake-secret-1', 'sk-fake-secret-2', '${FAKE}', 'os.environ/FAKE', ''];
const json = fc.jsonValue({ maxDepth: 2 });
const anything = fc.oneof(json, oneOf(...secrets));
/** A value as it should be, or in some cases any other one. */
const orAnything = (usual: fc.Arbitrary<unknown>, other = anything) =>
  fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: other });

const models = words(
  'gpt-4o openai/x azure/x azure/responses/x hosted_vllm/x bedrock/x mistral/x anthropic/x cohere/x claude-x * / openai/ constructor/x',
);
const names = words('a b c gpt-4o on __proto__ constructor');
const params = fc.record({
  model: orAnything(models, json),
  custom_llm_provider: oneOf(null, null, 'openai', 'a'),
  api_key: orAnything(oneOf(null, ...secrets)),
  api_base: orAnything(
    oneOf(null, null, 'https://a.example/v1', 'https://b.example', 'https://fake-secret-1@c.example'),
  ),
  api_version: orAnything(oneOf(null, '2024-10-21')),
  organization: orAnything(oneOf(null, null, null, 'org-1')),
  litellm_credential_name: oneOf(null, null, null, 'a'),
  rpm: anything,
});
const modes = words('chat embedding rerank batch');
const entry = fc.record({
  model_name: orAnything(names, json),
  litellm_params: orAnything(params),
  model_info: orAnything(fc.record({ mode: orAnything(modes), max_input_tokens: anything })),
});
const credential = fc.record({ credential_name: names, credential_values: orAnything(params) });
const config = fc.record({
  model_list: orAnything(fc.array(orAnything(entry), { minLength: 4, maxLength: 10 })),
  credential_list: orAnything(fc.array(orAnything(credential), { maxLength: 3 })),
  environment_variables: orAnything(fc.record({ FAKE: anything, OPENAI_API_KEY: anything })),
  router_settings: orAnything(fc.record({ model_group_alias: json, fallbacks: anything })),
  general_settings: json,
  guardrails: anything,
});

describe('the import of any configuration of LiteLLM', () => {
  it('makes no error, the same each time, shows no key, and makes a catalogue without faults', () => {
    let made = 0;
    fc.assert(
      fc.property(config, fc.boolean(), (value, keepDuplicates) => {
        const file = join(folder, 'config.yaml');
        writeFileSync(file, JSON.stringify(value));
        const plan = planOf(file, {}, keepDuplicates);
        expect(planOf(file, {}, keepDuplicates)).toEqual(plan);
        const { catalogue, credentials, findings, models: all } = madeImport(plan, 'ai_models.yml');
        // A catalogue with a fault would be left out.
        expect(catalogue).toBe(plan.catalogue);
        expect(JSON.stringify([findings, catalogue ?? ''])).not.toContain('fake-secret');
        for (const { line } of findings) expect(line).toBeGreaterThan(0);
        made += all.length + credentials.length;
      }),
      { numRuns: 80 },
    );
    expect(made).toBeGreaterThan(10);
  });
});
