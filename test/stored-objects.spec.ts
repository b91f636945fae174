import { request as httpRequest } from 'node:http';
import { type AddressInfo } from 'node:net';
import { describeWithApp, platformKey, startTestApp, type TestApp } from './support/app';
import { type Gate } from './support/gate';
import { startGatedApp } from './support/gated-app';
import { until } from './support/until';

const sharedKey = 'sk-of-an-account-that-tenants-share';
const models = `
completion_models:
  - { name: gpt, litellm_model_name: gpt-4o }
  - { name: claude, litellm_model_name: anthropic/claude-sonnet-4-5 }
transcription_models:
  - { name: heard, litellm_model_name: mistral/voxtral-mini-latest }
speech_models:
  - { name: spoken, litellm_model_name: gpt-4o-mini-tts }
`;
const interpreter = { type: 'code_interpreter', container: { type: 'auto' } };

/** Two tenants of one account. */
async function twoTenants(tenkey: TestApp): Promise<[string, string]> {
  const tenants = [await tenkey.createTenant(), await tenkey.createTenant()] as [string, string];
  for (const tenant of tenants) {
    for (const provider of ['openai', 'anthropic', 'mistral'])
      await tenkey.setCredential(tenant, provider, { api_key: sharedKey });
  }
  return tenants;
}

const respond = (tenkey: TestApp, tenant: string, body: object = {}) =>
  tenkey.call(tenant, 'responses', { model: 'gpt', input: 'the secret of A', ...body });

/** Sends a body as it is. */
const sendRaw = (tenkey: TestApp, tenant: string, path: string, body: string) =>
  tenkey
    .http()
    .post(`/v1/${path}`)
    .set({ 'X-API-Key': platformKey, 'X-Tenant-ID': tenant, 'content-type': 'application/json' })
    .send(body);

const eventsIn = (text: string): any[] =>
  [...text.matchAll(/^data: (\{.*)$/gm)].map(([, json]) => JSON.parse(json!) as object);

/** Expects that a request is refused as if the object did not exist, and that the provider saw nothing. */
async function expectRefused(tenkey: TestApp, sending: ReturnType<TestApp['call']>, param: string) {
  const before = tenkey.provider.calls.begun;
  const answer = await sending;
  expect([answer.status, answer.body.error?.tenkey_code, answer.body.error?.param]).toEqual([
    404,
    'object_not_found',
    param,
  ]);
  expect(tenkey.provider.calls.begun).toBe(before);
  return answer;
}

/** What tenants with the same account must not do to each other, in any mode. */
function isolates(tenkey: TestApp, tenants: () => Promise<[string, string]>) {
  it('lets a tenant continue its own response, and nobody else', async () => {
    const [a, b] = await tenants();
    const first = await respond(tenkey, a);
    expect(first.body.output[0].content[0].text).toBe('echo: the secret of A');
    const body = { previous_response_id: first.body.id, input: 'go on' };
    const next = await respond(tenkey, a, body);
    // The provider itself would give this to anybody with the key.
    expect(next.body.output[0].content[0].text).toBe('echo: go on (after: echo: the secret of A)');
    const refused = await expectRefused(tenkey, respond(tenkey, b, body), 'previous_response_id');
    expect(refused.text).not.toContain(first.body.id);
    const unknown = await expectRefused(
      tenkey,
      respond(tenkey, b, { ...body, previous_response_id: 'resp_never_made' }),
      'previous_response_id',
    );
    expect({ ...unknown.body }).toEqual(refused.body);
  });

  it('does the same for items and containers, whole and streamed', async () => {
    const [a, b] = await tenants();
    for (const stream of [false, true]) {
      const made = await respond(tenkey, a, { tools: [interpreter], stream });
      const response = stream ? eventsIn(made.text).at(-1).response : made.body;
      const [call, message] = response.output;
      const withItem = { input: [{ type: 'item_reference', id: message.id }] };
      const withContainer = { tools: [{ ...interpreter, container: call.container_id }] };
      expect((await respond(tenkey, a, withItem)).body.output[0].content[0].text).toContain(
        'the secret of A',
      );
      expect((await respond(tenkey, a, withContainer)).status).toBe(200);
      await expectRefused(tenkey, respond(tenkey, b, withItem), 'input[0].id');
      await expectRefused(tenkey, respond(tenkey, b, { input: [{ id: message.id }] }), 'input[0].id');
      await expectRefused(tenkey, respond(tenkey, b, withContainer), 'container');
      const shell = [
        { type: 'shell', environment: { type: 'container_reference', container_id: call.container_id } },
      ];
      await expectRefused(tenkey, respond(tenkey, b, { tools: shell }), 'container_id');
      // An item of a history that brings its content may be anybody's own, but not one of another tenant.
      await expectRefused(tenkey, respond(tenkey, b, { input: [{ ...message }] }), 'input[0].id');
      const ownId = {
        input: [
          { ...message, id: `${message.id}x` },
          { role: 'user', content: 'hello' },
        ],
      };
      expect((await respond(tenkey, b, ownId)).status).toBe(200);
    }
  });

  it('does the same for audio of a chat and for the container of a message, whole and streamed', async () => {
    const [a, b] = await tenants();
    for (const stream of [false, true]) {
      const question = { role: 'user', content: 'hello' };
      const chat = { model: 'gpt', messages: [question] };
      const audio = { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } };
      const spoken = await tenkey.call(a, 'chat/completions', { ...chat, ...audio, stream });
      const { id } = stream
        ? eventsIn(spoken.text)[0].choices[0].delta.audio
        : spoken.body.choices[0].message.audio;
      const history = { ...chat, messages: [question, { role: 'assistant', audio: { id } }, question] };
      expect((await tenkey.call(a, 'chat/completions', history)).status).toBe(200);
      await expectRefused(tenkey, tenkey.call(b, 'chat/completions', history), 'audio.id');

      const message = { model: 'claude', max_tokens: 99, messages: [question] };
      const tools = [{ type: 'code_execution_20250825', name: 'code_execution' }];
      const executed = await tenkey.call(a, 'messages', { ...message, tools, stream });
      const container = stream
        ? eventsIn(executed.text).find(({ type }) => type === 'message_delta').delta.container.id
        : executed.body.container.id;
      for (const [value, param] of [
        [container, 'container'],
        [{ id: container, skills: [{ type: 'anthropic', skill_id: 'pptx' }] }, 'container.id'],
      ] as const) {
        expect((await tenkey.call(a, 'messages', { ...message, container: value })).status).toBe(200);
        const refused = await expectRefused(
          tenkey,
          tenkey.call(b, 'messages', { ...message, container: value }),
          param,
        );
        expect(refused.body.error.type).toBe('not_found_error');
      }
    }
  });
}

describeWithApp('stored objects of tenants with the same provider key', {}, { models }, (tenkey) => {
  isolates(tenkey, () => twoTenants(tenkey));

  const content = (part: object) => ({ input: [{ role: 'user', content: [part] }] });
  const chatContent = (part: object) => ({ messages: [{ role: 'user', content: [part] }] });
  it.each<[operation: string, model: string, body: object, param: string]>([
    ['responses', 'gpt', { conversation: 'conv_1' }, 'conversation'],
    ['responses', 'gpt', { conversation: { id: 'conv_1' } }, 'conversation.id'],
    ['responses', 'gpt', { prompt: { id: 'pmpt_1', version: '2' } }, 'prompt.id'],
    ['responses', 'gpt', content({ type: 'input_file', file_id: 'file-1' }), 'file_id'],
    ['responses', 'gpt', content({ type: 'input_image', file_id: 'file-1' }), 'file_id'],
    [
      'responses',
      'gpt',
      { tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] },
      'vector_store_ids',
    ],
    [
      'responses',
      'gpt',
      { tools: [{ ...interpreter, container: { type: 'auto', file_ids: ['file-1'] } }] },
      'file_ids',
    ],
    [
      'responses',
      'gpt',
      { tools: [{ type: 'image_generation', input_image_mask: { file_id: 'f' } }] },
      'file_id',
    ],
    ['responses', 'gpt', { tools: [{ type: 'mcp', tunnel_id: 'tunnel_1' }] }, 'tunnel_id'],
    [
      'responses',
      'gpt',
      { tools: [{ type: 'shell', environment: { skills: [{ skill_id: 's' }] } }] },
      'skill_id',
    ],
    ['responses', 'gpt', { input: [{ type: 'reasoning', id: 'rs_1', summary: [] }] }, 'input[0].id'],
    ['responses', 'gpt', { input: [{ type: 'image_generation_call', id: 'ig_1' }] }, 'input[0].id'],
    [
      'responses',
      'gpt',
      { input: [{ type: 'code_interpreter_call', code: '1', container_id: 'c' }] },
      'container_id',
    ],
    [
      'responses',
      'gpt',
      {
        input: [
          { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_file', file_id: 'f' }] },
        ],
      },
      'file_id',
    ],
    ['chat/completions', 'gpt', chatContent({ type: 'file', file: { file_id: 'file-1' } }), 'file_id'],
    [
      'chat/completions',
      'gpt',
      chatContent({ type: 'image_url', image_url: { file_id: 'file-1' } }),
      'file_id',
    ],
    [
      'chat/completions',
      'gpt',
      { messages: [{ role: 'user', content: 'a', attachments: [{ file_id: 'file-1' }] }] },
      'file_id',
    ],
    [
      'chat/completions',
      'gpt',
      { ...chatContent({}), extra_body: { google: { cached_content: 'cachedContents/1' } } },
      'cached_content',
    ],
    [
      'chat/completions',
      'gpt',
      { ...chatContent({}), extra_body: { google: { cachedContent: 'cachedContents/1' } } },
      'cachedContent',
    ],
    ['messages', 'claude', chatContent({ type: 'container_upload', file_id: 'file_1' }), 'file_id'],
    [
      'messages',
      'claude',
      chatContent({ type: 'document', source: { type: 'file', file_id: 'file_1' } }),
      'file_id',
    ],
    ['messages/count_tokens', 'claude', chatContent({ type: 'image', source: { file_id: 'f' } }), 'file_id'],
    [
      'messages',
      'claude',
      { ...chatContent({}), container: { skills: [{ type: 'custom', skill_id: 'skill_1' }] } },
      'skill_id',
    ],
    ['audio/speech', 'spoken', { input: 'hello', voice: { id: 'voice_1' } }, 'voice.id'],
    // As if the whole request were a call of a tool, whose input is the client's own in Anthropic's format.
    ['responses', 'gpt', { ...content({ type: 'input_file', file_id: 'f' }), type: 'tool_use' }, 'file_id'],
  ])(
    'are refused when no call of the tenant made them: %s of %s with %j',
    async (operation, model, body, param) => {
      const [tenant] = await twoTenants(tenkey);
      const full = { model, ...(operation === 'messages' && { max_tokens: 9 }), ...body };
      await expectRefused(tenkey, tenkey.call(tenant, operation, full), param);
    },
  );

  it.each<[title: string, operation: string, model: string, body: object]>([
    ['labels', 'responses', 'gpt', { input: 'a', metadata: { file_id: 'x', container: 'y' } }],
    [
      'the schema of a tool',
      'chat/completions',
      'gpt',
      {
        ...chatContent({ type: 'text', text: 'file_id' }),
        tools: [
          { type: 'function', function: { name: 'f', parameters: { examples: [{ file_id: 'file-1' }] } } },
        ],
      },
    ],
    [
      'the arguments of a tool',
      'messages',
      'claude',
      {
        max_tokens: 9,
        messages: [
          { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: { file_id: 'f' } }] },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'a' }] },
        ],
      },
    ],
    [
      'a history that another service made, with its content',
      'responses',
      'gpt',
      {
        input: [
          { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAA' },
          { type: 'function_call', id: 'fc_1', call_id: 'c', name: 'f', arguments: '{}' },
          { type: 'function_call_output', call_id: 'c', output: 'done' },
          {
            type: 'message',
            id: 'msg_1',
            role: 'assistant',
            content: [{ type: 'output_text', text: 'a', annotations: [{ file_id: 'cfile_1' }] }],
          },
          { role: 'user', content: 'b' },
        ],
        store: false,
      },
    ],
    ['absent ids', 'responses', 'gpt', { input: 'a', previous_response_id: null, conversation: null }],
  ])('are not seen in %s', async (_title, operation, model, body) => {
    const [tenant] = await twoTenants(tenkey);
    expect((await tenkey.call(tenant, operation, { model, ...body })).status).toBe(200);
  });

  it.each<[operation: string, model: string, body: object]>([
    ['chat/completions', 'claude', chatContent({ type: 'file', file: { file_id: 'file-1' } })],
    ['chat/completions', 'claude', { messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] }],
    ['messages', 'gpt', chatContent({ type: 'container_upload', file_id: 'file_1' })],
    ['messages', 'gpt', chatContent({ type: 'document', source: { type: 'file', file_id: 'file_1' } })],
    ['messages', 'gpt', { ...chatContent({ type: 'text', text: 'a' }), container: 'container_1' }],
    ['responses', 'claude', { input: 'a', previous_response_id: 'resp_1' }],
    ['responses', 'claude', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['responses', 'claude', content({ type: 'input_file', file_id: 'file-1' })],
    ['responses', 'claude', content({ type: 'input_image', file_id: 'file-1' })],
    ['responses', 'claude', { input: 'a', conversation: 'conv_1' }],
    ['responses', 'claude', { input: 'a', prompt: { id: 'pmpt_1' } }],
  ])('are refused by a translation: %s of %s with %j', async (operation, model, body) => {
    const [tenant] = await twoTenants(tenkey);
    const before = tenkey.provider.calls.begun;
    const answer = await tenkey.call(tenant, operation, { model, max_tokens: 9, ...body });
    expect([answer.status, answer.body.error.tenkey_code]).toEqual([400, 'parameter_not_supported']);
    expect(tenkey.provider.calls.begun).toBe(before);
  });

  it('are seen however a request spells the name, and a name that an object has twice is refused', async () => {
    const [a, b] = await twoTenants(tenkey);
    const { id } = (await respond(tenkey, a)).body;
    const escaped = `"previous\\u005fresponse_i\\u0064":"${id}"`;
    await expectRefused(
      tenkey,
      sendRaw(tenkey, b, 'responses', `{"model":"gpt","input":"a",${escaped}}`),
      'previous_response_id',
    );
    await expectRefused(
      tenkey,
      sendRaw(
        tenkey,
        b,
        'responses',
        `{"model":"gpt","input":"a","previous_response_id":"\\u0072${id.slice(1)}"}`,
      ),
      'previous_response_id',
    );
    const plain = `"previous_response_id":"${id}"`;
    const reference = `{"type":"item_reference","id":"msg_1"`;
    for (const body of [
      `{"model":"gpt","input":"a",${plain},"previous_response_id":null}`,
      `{"model":"gpt","input":"a",${escaped},"previous_response_id":null}`,
      `{"model":"gpt","input":[${reference},"type":"message","content":"a"}]}`,
      `{"model":"gpt","input":[${reference}}],"input":"a"}`,
    ]) {
      const before = tenkey.provider.calls.begun;
      const answer = await sendRaw(tenkey, b, 'responses', body);
      expect([body, answer.status, answer.body.error.code]).toEqual([body, 400, 'malformed_request']);
      expect(tenkey.provider.calls.begun).toBe(before);
    }
  });

  it('are refused in a form too, before the provider has the id', async () => {
    const [tenant] = await twoTenants(tenkey);
    const answer = await tenkey
      .http()
      .post('/v1/audio/transcriptions')
      .set({ 'X-API-Key': platformKey, 'X-Tenant-ID': tenant })
      .field('file_id', 'file-1')
      .field('model', 'heard');
    expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([
      404,
      'object_not_found',
      'file_id',
    ]);
    expect(tenkey.provider.requests.filter(({ form }) => form?.file_id !== undefined)).toEqual([]);
  });

  it('are not taken from texts that a client decides', async () => {
    const [a, b] = await twoTenants(tenkey);
    const made = await respond(tenkey, a, { tools: [interpreter] });
    const { container_id: container } = made.body.output[0];
    const tools = [{ name: 'f', input_schema: { type: 'object', container_id: container } }];
    const item = { type: 'mcp_list_tools', id: 'mcpl_1', server_label: 'own', tools };
    // The schemas of a tool server of the client's own, which the response repeats, and so does the list of its input.
    const usual = { object: 'response', status: 'completed', store: true };
    tenkey.provider.next({ body: { ...usual, id: 'resp_1', output: [item] } });
    expect((await respond(tenkey, b)).status).toBe(200);
    tenkey.provider.next({ body: { object: 'list', data: [item, { type: 'x', container_id: container }] } });
    const list = tenkey.http().get('/v1/responses/resp_1/input_items');
    expect((await list.set({ 'X-API-Key': platformKey, 'X-Tenant-ID': b })).body.data).toHaveLength(2);
    const using = { tools: [{ ...interpreter, container }] };
    await expectRefused(tenkey, respond(tenkey, b, using), 'container');
    // Nor does listing an item make it the tenant's: the client has chosen its id.
    const reference = { input: [{ type: 'item_reference', id: 'mcpl_2' }] };
    tenkey.provider.next({ body: { object: 'list', data: [{ ...item, id: 'mcpl_2' }] } });
    await tenkey
      .http()
      .get('/v1/responses/resp_1/input_items')
      .set({ 'X-API-Key': platformKey, 'X-Tenant-ID': b })
      .expect(200);
    await expectRefused(tenkey, respond(tenkey, b, reference), 'input[0].id');

    // The arguments that a model writes for a tool.
    const input = { type: 'code_execution_output', file_id: 'file_of_another_tenant' };
    const content = [{ type: 'tool_use', id: 'toolu_1', name: 'f', input }];
    tenkey.provider.next({ body: { type: 'message', role: 'assistant', content, stop_reason: 'tool_use' } });
    const message = { model: 'claude', max_tokens: 9, messages: [{ role: 'user', content: 'a' }] };
    expect((await tenkey.call(b, 'messages', message)).body.content).toEqual(content);
    const upload = [{ type: 'container_upload', file_id: input.file_id }];
    await expectRefused(
      tenkey,
      tenkey.call(b, 'messages', { ...message, messages: [{ role: 'user', content: upload }] }),
      'file_id',
    );
  });

  it('are not recorded when the provider keeps nothing, except for containers', async () => {
    const [tenant] = await twoTenants(tenkey);
    const { body } = await respond(tenkey, tenant, { store: false, tools: [interpreter] });
    const kinds = await tenkey.database.query<{ kind: string }[]>(
      'select kind from stored_objects where tenant_id = $1',
      [tenant],
    );
    expect(kinds).toEqual([{ kind: 'container' }]);
    await expectRefused(
      tenkey,
      respond(tenkey, tenant, { previous_response_id: body.id }),
      'previous_response_id',
    );
  });

  it('are stored as hashes, and forgotten together with the tenant', async () => {
    const [tenant, other] = await twoTenants(tenkey);
    const { body } = await respond(tenkey, tenant);
    await respond(tenkey, other);
    const rows = await tenkey.database.query<object[]>('select * from stored_objects where tenant_id = $1', [
      tenant,
    ]);
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toContain(body.id);
    expect((await tenkey.sysadmin('delete', `/tenants/${tenant}`)).status).toBe(204);
    const left = async (id: string) =>
      (await tenkey.database.query<object[]>('select 1 from stored_objects where tenant_id = $1', [id]))
        .length;
    expect([await left(tenant), await left(other)]).toEqual([0, 2]);
    const { body: audit } = await tenkey.sysadmin('get', `/audit-events?tenant_id=${tenant}`);
    expect(JSON.stringify(audit)).toContain('"stored_objects":2');
  });

  it('may have the same number on a server that counts, in a history with its content', async () => {
    const [a, b] = await twoTenants(tenkey);
    const output = [
      { type: 'message', id: 'msg_1', role: 'assistant', content: [{ type: 'output_text', text: 'a' }] },
    ];
    tenkey.provider.next({ body: { id: 'resp_1', object: 'response', status: 'completed', output } });
    expect((await respond(tenkey, a)).status).toBe(200);
    const history = { input: [...output, { role: 'user', content: 'b' }] };
    for (const tenant of [a, b]) expect((await respond(tenkey, tenant, history)).status).toBe(200);
    await expectRefused(
      tenkey,
      respond(tenkey, b, { previous_response_id: 'resp_1' }),
      'previous_response_id',
    );
  });

  it('cannot be replaced by a tenant that chooses the id of its response, as servers of vLLM let it', async () => {
    const [a, b] = await twoTenants(tenkey);
    const { id } = (await respond(tenkey, a)).body;
    await expectRefused(tenkey, respond(tenkey, b, { request_id: id }), 'request_id');
    expect((await respond(tenkey, b, { request_id: `resp_${'0'.repeat(32)}` })).status).toBe(200);
  });

  it('belong to the tenant that got them first: a server that repeats an id does not give the object away', async () => {
    const [a, b] = await twoTenants(tenkey);
    const { body: made } = await respond(tenkey, a);
    tenkey.provider.next({ body: made });
    expect((await respond(tenkey, b)).body.id).toBe(made.id);
    const next = { previous_response_id: made.id };
    await expectRefused(tenkey, respond(tenkey, b, next), 'previous_response_id');
    expect((await respond(tenkey, a, next)).status).toBe(200);
  });

  it('belong to the server that made them: an id means nothing at another address', async () => {
    const tenant = await tenkey.createTenant();
    const credential = { api_key: sharedKey };
    // A server of the tenant's own could claim any id.
    const own = { ...credential, endpoint: `${tenkey.provider.url.replace('127.0.0.1', 'localhost')}/v1` };
    expect((await tenkey.setCredential(tenant, 'openai', own)).status).toBe(200);
    const { body } = await respond(tenkey, tenant).expect(200);
    await tenkey.setCredential(tenant, 'openai', credential);
    await expectRefused(
      tenkey,
      respond(tenkey, tenant, { previous_response_id: body.id }),
      'previous_response_id',
    );
  });
});

describeWithApp(
  'stored objects in single-tenant mode',
  {
    TENANT_CREDENTIALS_ENABLED: 'false',
    OPENAI_API_KEY: sharedKey,
    ANTHROPIC_API_KEY: 'sk-ant-of-all-tenants',
  },
  { models },
  (tenkey) => isolates(tenkey, async () => [await tenkey.createTenant(), await tenkey.createTenant()]),
);

describeWithApp('FOREIGN_OBJECTS=allow', { FOREIGN_OBJECTS: 'allow' }, { models }, (tenkey) => {
  it('lets ids pass that no call made, and still none of another tenant', async () => {
    const [a, b] = await twoTenants(tenkey);
    const made = await fetch(`${tenkey.provider.url}/v1/conversations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${sharedKey}` },
    });
    const { id } = (await made.json()) as { id: string };
    expect((await respond(tenkey, a, { conversation: id })).body.conversation).toEqual({ id });
    expect((await respond(tenkey, a, { conversation: id, input: 'more' })).status).toBe(200);
    const response = (await respond(tenkey, a)).body;
    await expectRefused(
      tenkey,
      respond(tenkey, b, { previous_response_id: response.id }),
      'previous_response_id',
    );
    // The first tenant that used it has it.
    await expectRefused(tenkey, respond(tenkey, b, { conversation: id }), 'conversation');
    // A provider may ignore what surrounds an id.
    await expectRefused(
      tenkey,
      respond(tenkey, b, { previous_response_id: ` ${response.id}` }),
      'previous_response_id',
    );
    const file = {
      input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-uploaded-elsewhere' }] }],
    };
    expect((await respond(tenkey, b, file)).status).toBe(200);
  });
});

describe('the id of a stored object', () => {
  let tenkey: TestApp;
  let tenant: string;
  beforeAll(async () => {
    tenkey = await startTestApp({ DATABASE_TIMEOUT_MS: '60000' }, { models });
    [tenant] = await twoTenants(tenkey);
    await tenkey.chat(tenant, { model: 'gpt' });
  });
  afterAll(() => tenkey.close());

  /** Runs a test while nothing can be inserted. */
  async function whileLocked(run: () => Promise<void>): Promise<void> {
    const holder = tenkey.database.createQueryRunner();
    await holder.connect();
    await holder.startTransaction();
    try {
      await holder.query('lock table stored_objects in share mode');
      await run();
    } finally {
      await holder.rollbackTransaction();
      await holder.release();
    }
  }

  const inserting = async () =>
    (
      await tenkey.database.query<object[]>(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%insert into stored_objects%'`,
      )
    ).length > 0;

  /** A call whose head and body are observed as they arrive. */
  function observe(body: object) {
    const seen = { head: false, text: '', ended: false };
    const { port } = tenkey.nest.getHttpServer().address() as AddressInfo;
    const headers = { 'x-api-key': platformKey, 'x-tenant-id': tenant, 'content-type': 'application/json' };
    const request = httpRequest({ port, path: '/v1/responses', method: 'POST', headers }, (response) => {
      seen.head = true;
      response.setEncoding('utf8');
      response.on('data', (text: string) => (seen.text += text));
      response.on('end', () => (seen.ended = true));
      response.on('error', () => undefined);
    });
    request.on('error', () => undefined);
    request.end(JSON.stringify({ model: 'gpt', input: 'hello', ...body }));
    return { seen, leave: () => request.destroy() };
  }

  it('is committed before the client has the head of a whole response', async () => {
    let call: ReturnType<typeof observe> | undefined;
    await whileLocked(async () => {
      call = observe({});
      await until(inserting, 'the id is being recorded');
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(call.seen).toEqual({ head: false, text: '', ended: false });
    });
    await until(() => call!.seen.ended, 'the response');
    expect(call!.seen.text).toContain('"resp_');
  });

  it('is committed before the client has the event that carries it, and the rest follows in order', async () => {
    let call: ReturnType<typeof observe> | undefined;
    await whileLocked(async () => {
      call = observe({ stream: true });
      await until(inserting, 'the id is being recorded');
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(call.seen.text).toBe('');
    });
    await until(() => call!.seen.ended, 'the stream');
    const events = eventsIn(call!.seen.text);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
    expect(events.at(-1)).toMatchObject({ type: 'response.completed' });
    const own = { model: 'gpt', input: 'go on', previous_response_id: events[0].response.id };
    expect((await tenkey.call(tenant, 'responses', own)).status).toBe(200);
  });

  it('keeps nothing waiting for a client that has left', async () => {
    await whileLocked(async () => {
      const call = observe({ stream: true });
      await until(inserting, 'the id is being recorded');
      call.leave();
      await until(() => tenkey.provider.calls.open === 0, 'the connection to the provider is closed');
    });
  });
});

describe('an outage of the database', () => {
  let tenkey: TestApp;
  let gate: Gate;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ tenkey, gate, close } = await startGatedApp({ CACHE_LEASE_SECONDS: '60' }));
  });
  afterAll(() => close());

  it('refuses calls that name or make a stored object before anything is sent, and no others', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: sharedKey });
    const request = { model: 'gpt-4o', input: 'hello' };
    const made = await tenkey.call(tenant, 'responses', request);
    expect(made.status).toBe(200);
    gate.shut();
    tenkey.provider.reset();
    const refused = [
      request,
      { ...request, stream: true },
      { ...request, previous_response_id: made.body.id, store: false },
    ];
    for (const body of refused) {
      const answer = await tenkey.call(tenant, 'responses', body);
      expect([answer.status, answer.body.error.code]).toEqual([503, 'credential_store_unavailable']);
    }
    expect(tenkey.provider.calls.begun).toBe(0);
    expect((await tenkey.call(tenant, 'responses', { ...request, store: false })).status).toBe(200);
    expect((await tenkey.chat(tenant)).status).toBe(200);
    gate.open();
  });

  it('withholds a response whose id cannot be recorded any more, and says so in the log', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: sharedKey });
    for (const stream of [false, true]) {
      const begun = tenkey.provider.calls.begun;
      let respondNow = () => undefined as void;
      tenkey.provider.next({ readAfter: new Promise<void>((resolve) => (respondNow = resolve)) });
      const sending = tenkey.call(tenant, 'responses', { model: 'gpt-4o', input: 'hello', stream });
      const answered = sending.then((answer) => answer);
      await until(() => tenkey.provider.calls.begun > begun, 'the provider has the request');
      gate.shut();
      respondNow();
      const answer = await answered;
      expect(answer.text).toContain('credential_store_unavailable');
      expect(answer.text).not.toContain('resp_');
      expect(answer.status).toBe(stream ? 200 : 503);
      expect(tenkey.logLines.join('')).toContain('whose id could not be recorded');
      gate.open();
    }
  });
});
