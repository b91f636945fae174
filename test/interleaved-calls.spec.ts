import { randomUUID } from 'node:crypto';
import { describeWithApp, platformKey } from './support/app';
import { issueTenantKey } from './support/keys';

/** A caller, and the values that only a response to this caller may contain. */
interface Caller {
  readonly tenant: string;
  readonly keyId: string | undefined;
  readonly headers: Record<string, string>;
  readonly models: readonly string[];
  readonly mask: string;
  readonly isRefused: boolean;
}

const openai = 'gpt-4o';
const anthropic = 'claude-sonnet';
const markers = /marker-[0-9a-f-]{36}/g;

const messages = (content: string) => [{ role: 'user', content }];
const formats: readonly {
  readonly path: string;
  readonly models: readonly string[];
  body(content: string): object;
  /** The text of a whole response, or of one event of a stream. */
  textIn(body: any): string | undefined;
}[] = [
  {
    path: 'chat/completions',
    models: [openai, anthropic],
    body: (content) => ({ messages: messages(content) }),
    textIn: ({ choices }) => choices?.[0]?.message?.content ?? choices?.[0]?.delta?.content,
  },
  {
    path: 'messages',
    models: [openai, anthropic],
    body: (content) => ({ messages: messages(content), max_tokens: 50 }),
    textIn: ({ content, delta }) => content?.[0]?.text ?? delta?.text,
  },
  {
    path: 'responses',
    models: [openai],
    body: (input) => ({ input }),
    textIn: ({ type, delta, output }) =>
      output === undefined
        ? type === 'response.output_text.delta'
          ? delta
          : undefined
        : output[0].content[0].text,
  },
];

describeWithApp('simultaneous calls of many clients', (tenkey) => {
  const callers: Caller[] = [];
  beforeAll(async () => {
    for (let index = 0; index < 8; index += 1) {
      const tenant = await tenkey.createTenant();
      const isRefused = index === 0;
      const last = `m${index}k${index}`;
      for (const provider of ['openai', 'anthropic']) {
        const api_key = `key-of-${tenant}-${last}`;
        await tenkey.setCredential(tenant, provider, { api_key });
        if (isRefused) tenkey.provider.rejectKey(api_key);
      }
      const caller = { tenant, mask: `...${last}`, isRefused };
      callers.push({
        ...caller,
        keyId: undefined,
        headers: { 'x-api-key': platformKey, 'x-tenant-id': tenant },
        models: [openai, anthropic],
      });
      for (const models of [[openai], [anthropic], [openai, anthropic]]) {
        const fields = { allowed_models: models, requests_per_minute: 100_000, tokens_per_minute: 1e9 };
        const { id, key } = await issueTenantKey(tenkey, tenant, fields);
        callers.push({ ...caller, keyId: id, headers: { authorization: `Bearer ${key}` }, models });
      }
    }
  }, 60_000);

  it('each get the response to their own request, whole and streamed, in every format', async () => {
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    const calls = callers.flatMap((caller) =>
      formats.flatMap((format) =>
        format.models
          .filter((model) => caller.models.includes(model))
          .flatMap((model) => [false, true].map((stream) => ({ caller, format, model, stream }))),
      ),
    );
    const ask = async ({ caller, format, model, stream }: (typeof calls)[number]) => {
      const marker = `marker-${randomUUID()}`;
      const answer = await fetch(`http://127.0.0.1:${port}/v1/${format.path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...caller.headers },
        body: JSON.stringify({ model, stream, ...format.body(`say ${marker} again`) }),
      });
      const text = await answer.text();
      const head = Object.fromEntries(answer.headers);
      const said = JSON.stringify(head) + text;
      return { caller, format, model, stream, marker, status: answer.status, head, text, said };
    };

    const waiting = Array.from({ length: 5 }, () => calls).flat();
    const answers: Awaited<ReturnType<typeof ask>>[] = [];
    const worker = async () => {
      for (let call = waiting.pop(); call !== undefined; call = waiting.pop()) answers.push(await ask(call));
    };
    await Promise.all(Array.from({ length: 60 }, worker));

    const seen = new Map(
      tenkey.provider.requests.map((request) => [request.rawBody.match(markers)?.join() ?? '', request]),
    );
    expect(seen.size).toBe(answers.length);
    const lines = new Map(
      tenkey.logLines.map((line) => JSON.parse(line)).map((line) => [line.request_id as string, line]),
    );
    const tenants = [...new Set(callers.map(({ tenant }) => tenant))];
    const ids = new Set<string>();
    for (const { caller, format, model, stream, marker, status, head, text, said } of answers) {
      const own = { tenant: caller.tenant, mask: caller.mask, model };
      expect({ ...own, status }).toEqual({ ...own, status: caller.isRefused ? 424 : 200 });
      expect(head['x-tenkey-credential']).toContain(`/${caller.mask}/`);
      const id = head['x-tenkey-request-id']!;
      ids.add(id);
      expect(lines.get(id)).toMatchObject({ ...own, status });
      expect(lines.get(id).key).toBe(caller.keyId);
      // Exactly this request reached the provider, with this tenant's key.
      expect(seen.get(marker)?.key).toBe(`key-of-${caller.tenant}-${caller.mask.slice(3)}`);
      if (caller.isRefused) {
        expect(said.match(markers)).toBeNull();
        expect(said).toContain(caller.tenant);
        continue;
      }
      expect(new Set(said.match(markers))).toEqual(new Set([marker]));
      expect(textOf(text, stream, (body) => format.textIn(body))).toBe(`echo: say ${marker} again`);
      const named = tenants.filter((tenant) => said.includes(tenant));
      expect(named.filter((tenant) => tenant !== caller.tenant)).toEqual([]);
    }
    expect(ids.size).toBe(answers.length);
    expect(answers.length).toBeGreaterThan(1000);
  }, 120_000);
});

function textOf(text: string, isStream: boolean, textIn: (body: any) => string | undefined): string {
  if (!isStream) return textIn(JSON.parse(text)) ?? '';
  const events = [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, data]) => JSON.parse(data!));
  return events.map((event) => textIn(event) ?? '').join('');
}
