import { Problem } from '#http';
import { refuseFieldOfFurtherModels, refuseFurtherModels } from './further-models';
import { JsonRequest } from './json-request';

const read = (body: object | string) =>
  JsonRequest.read(Buffer.from(typeof body === 'string' ? body : JSON.stringify({ model: 'ours', ...body })));

async function paramAtFault(body: object | string, headers = {}): Promise<string | undefined> {
  try {
    refuseFurtherModels(await read(body), headers);
    return undefined;
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'forbidden') throw error;
    return error.details.param;
  }
}

/** A function whose parameters have the names that also name models. */
const parameters = {
  type: 'object',
  properties: {
    model: { type: 'string' },
    fallback_model: { type: 'string' },
    deployment: { type: 'string' },
  },
  $defs: { Model: { type: 'string' } },
  required: ['model'],
};

describe('a further model in a request is found', () => {
  it.each([
    ['models', { models: ['a', 'b'] }],
    ['models', { models: 'a' }],
    ['models', { models: { primary: 'a' } }],
    ['route', { route: 'fallback' }],
    ['preset', { preset: 'email-copywriter' }],
    ['fallbacks', { fallbacks: [{ model: 'a' }] }],
    ['fallbacks', { fallbacks: 'default' }],
    ['fallback_models', { fallback_models: ['a'] }],
    ['context_window_fallbacks', { context_window_fallbacks: [{ a: ['b'] }] }],
    ['safety_model', { safety_model: 'guard' }],
    ['Model', { Model: 'read by servers that ignore the case' }],
    ['tools[0].model', { tools: [{ type: 'image_generation', model: 'gpt-image-1' }] }],
    [
      'tools[1].model',
      {
        tools: [
          { type: 'function', parameters },
          { type: 'advisor_20260301', model: 'a' },
        ],
      },
    ],
    [
      'tools[0].parameters.model',
      { tools: [{ type: 'openrouter:image_generation', parameters: { model: 'a' } }] },
    ],
    ['plugins[0].allowed_models', { plugins: [{ id: 'auto-router', allowed_models: ['a/*'] }] }],
    ['extra_body.models', { extra_body: { models: ['a'] } }],
    ['extra_body.model', { extra_body: { model: 'a' } }],
    ['extra_body.route', { extra_body: { route: 'fallback' } }],
    ['compound_custom.models', { compound_custom: { models: { answering_model: 'a' } } }],
    [
      'data_sources[0].parameters.embedding_dependency.deployment_name',
      {
        data_sources: [
          { parameters: { embedding_dependency: { type: 'deployment_name', deployment_name: 'a' } } },
        ],
      },
    ],
    ['provider.fallback_model', { provider: { order: ['x'], fallback_model: 'a' } }],
    ['moderation.model', { moderation: { model: 'omni-moderation-latest' } }],
    [
      'input[1].tools[0].model',
      {
        input: [
          { role: 'user', content: 'x' },
          { type: 'additional_tools', tools: [{ type: 'image_generation', model: 'a' }] },
        ],
      },
    ],
    [
      'messages[0].content[1].tool.definition.model',
      {
        messages: [
          {
            role: 'system',
            content: [
              { type: 'text', text: 'x' },
              {
                type: 'tool_addition',
                tool: { type: 'tool_definition', definition: { type: 'advisor', model: 'a' } },
              },
            ],
          },
        ],
      },
    ],
    ['no_one_knows_this.deployments', { no_one_knows_this: { deployments: { a: 1 } } }],
  ])('at %s in %j', async (param, body) => expect(await paramAtFault(body)).toBe(param));

  it.each([
    ['models', '{"model":"ours","m\\u006fdels":["a"]}'],
    [
      'tools[0].model',
      '{"model":"ours","tools":[{"type":"image_generation","\\u006d\\u006f\\u0064\\u0065\\u006c":"a"}]}',
    ],
    ['tools[0].model', '{"model":"ours","tools":[],"tools":[{"model":"a"}],"tools":null}'],
    ['tools[0].model', '{"model":"ours","tools":[ { "model" : "a" , "model" : null } ] }'],
    ['plugins[0].a.model', '{"model":"ours","plugins":[{"a":{"model":"a"},"a":1}]}'],
    ['input[0].tools[0].model', '{"model":"ours","input":[{"t\\u006fols":[{"m\\u006fdel":"a"}]}]}'],
    ['extra_body.fallbacks', '{"\\u0065xtra_body":{"f\\u0061llbacks":["a"]},"model":"ours"}'],
  ])('at %s, however its name is written: %s', async (param, body) =>
    expect(await paramAtFault(body)).toBe(param),
  );

  it('in a header that names a deployment', async () => {
    const header = 'x-ms-oai-image-generation-deployment';
    expect(await paramAtFault({}, { [header]: 'gpt-image-1' })).toBe(header);
  });

  it.each(['models', 'models[]', 'models[0]', 'fallbacks', 'route'])('in the field %s of a form', (name) => {
    expect(() => refuseFieldOfFurtherModels(name, 'a')).toThrow(Problem);
    expect(() => refuseFieldOfFurtherModels(name, '')).not.toThrow();
  });
});

describe('nothing is found', () => {
  it.each([
    {},
    { models: null, route: null, fallbacks: [], preset: '', safety_model: '', extra_body: {} },
    { tools: [{ type: 'image_generation', model: null }] },
    { allow_fallbacks: true, include_model_info: false, models: 3 },
    { tools: [{ type: 'function', function: { name: 'model', description: 'the model', parameters } }] },
    { tools: [{ name: 'm', input_schema: parameters, input_examples: [{ model: 'T' }] }] },
    { tools: [{ type: 'mcp', server_url: 'https://models.example', headers: { 'x-model': 'a' } }] },
    { functions: [{ name: 'model', parameters }] },
    { response_format: { type: 'json_schema', json_schema: { name: 'model', schema: parameters } } },
    { messages: [{ role: 'user', content: 'which model?', model: 'x', fallbacks: ['y'] }] },
    { input: [{ type: 'additional_tools', tools: [{ type: 'function', parameters }] }, { tools: 'model' }] },
    {
      messages: [{ role: 'assistant', content: [{ type: 'tool_use', input: { model: 'x', tools: ['y'] } }] }],
    },
    { messages: [{ role: 'user', content: 'hälsa \\u0061 "tools" model' }] },
    { input: [{ role: 'user', content: 'm', models: ['x'] }], metadata: { model: 'x', route: 'y' } },
    { provider: { order: ['azure'], allow_fallbacks: false, sort: 'price' } },
    {
      plugins: [{ id: 'web', max_results: 3 }],
      tool_choice: { type: 'function', function: { name: 'model' } },
    },
  ])('in %j', async (body) => expect(await paramAtFault(body)).toBeUndefined());

  it.each(['model', 'modality', 'language', 'prompt', 'file'])('in the field %s of a form', (name) =>
    expect(() => refuseFieldOfFurtherModels(name, 'a')).not.toThrow(),
  );
});

it('the name of the parameter is in the text only where it is a known one, and made safe in `param`', async () => {
  const problemOf = async (body: object) => {
    try {
      refuseFurtherModels(await read(body));
    } catch (error) {
      return error as Problem;
    }
    throw new Error('nothing was refused');
  };
  expect((await problemOf({ models: ['a'] })).message).toContain('The parameter models names another model');
  const odd = await problemOf({ ['x-model\r\nsk-proj-abcdefghijklmnopqrstuvwxyz0123456789']: 'a' });
  expect(odd.message).toContain('A parameter of the request names another model');
  expect(odd.details.param).toMatch(/^[\w.[\]-]{1,64}$/);
  expect(odd.details.param).not.toContain('abcdefghij');
});

it('a long list of values is not built for it', async () => {
  const body = `{"model":"ours","tools":[${'{},'.repeat(300_000)}{"model":"a"}]}`;
  const request = await read(body);
  expect(() => refuseFurtherModels(request)).toThrow(expect.objectContaining({ code: 'malformed_request' }));
  const messages = await read(`{"model":"ours","messages":[${'{"model":1},'.repeat(300_000)}{}]}`);
  expect(() => refuseFurtherModels(messages)).not.toThrow();
});
