import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithApp, type TestApp } from './app';
import { leaksIn, type SentinelName, sentinels } from './sentinels';

export interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly text: string;
}

/** A model of each provider that has a sentinel for its key. */
export const sentinelModels: readonly [SentinelName, string][] = [
  ['openai', 'gpt-4o'],
  ['anthropic', 'claude-sonnet'],
  ['azure', 'azure-gpt-4o'],
  ['vllm', 'gemma-vllm'],
];

/** The requests that a test may send. Every response is searched after the test, as is every line of the log. */
export interface LeakSearch {
  readonly tenkey: TestApp;
  readonly answers: readonly { readonly text: string }[];
  readonly tenantId: () => string;
  readonly ask: (
    method: string,
    path: string,
    headers?: Record<string, string>,
    body?: unknown,
  ) => Promise<Answer>;
  readonly sysadmin: (method: string, path: string, body?: unknown) => Promise<Answer>;
  readonly put: (provider: string, body: unknown) => Promise<Answer>;
  readonly platform: (method: string, path: string, body?: unknown) => Promise<Answer>;
  readonly chat: (model: string, fields?: object) => Promise<Answer>;
  readonly azureFields: () => Record<string, string>;
}

/** The shipped catalogue, and a rerank model at an address that a tenant can choose. */
function catalogue(): string {
  const section = 'rerank_models:\n';
  const own = '  - { name: rerank-vllm, litellm_model_name: hosted_vllm/BAAI/bge-reranker-v2-m3 }\n';
  const shipped = readFileSync(join(__dirname, '../../apps/api/ai_models.yml'), 'utf8');
  return shipped.replace(section, section + own);
}

/** An application whose keys are all sentinels: a test fails when one of them is in a response or in the log. */
export function describeLeakSearch(title: string, specs: (search: LeakSearch) => void): void {
  // The endpoints of azure and vllm are the tenant's own. The provider's port is not known before it listens.
  const env = {
    INTRIC_SUPER_API_KEY: sentinels.super,
    PLATFORM_API_KEY: sentinels.platform,
    ENCRYPTION_KEY: sentinels.encryption,
    EGRESS_ALLOW: '127.0.0.1:*',
  };
  describeWithApp(title, env, { models: catalogue() }, (tenkey) => {
    let tenant: string;
    const answers: { label: string; text: string }[] = [];

    const base = () => `http://127.0.0.1:${(tenkey.nest.getHttpServer().address() as { port: number }).port}`;

    async function ask(
      method: string,
      path: string,
      headers: Record<string, string> = {},
      body?: unknown,
    ): Promise<Answer> {
      const answer = await fetch(base() + path, {
        method,
        redirect: 'manual',
        headers:
          body === undefined || body instanceof FormData
            ? headers
            : { 'content-type': 'application/json', ...headers },
        ...(body !== undefined && {
          body: typeof body === 'string' || body instanceof FormData ? body : JSON.stringify(body),
        }),
      });
      // A response that breaks off ends in an error; the part before it counts as well.
      const parts: Buffer[] = [];
      await (async () => {
        for await (const part of answer.body ?? []) parts.push(Buffer.from(part as Uint8Array));
      })().catch(() => undefined);
      const text = Buffer.concat(parts).toString('utf8');
      const head = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
      answers.push({
        label: `${method} #${answers.length} (${answer.status})`,
        text: `${answer.statusText}\n${head}\n${text}`,
      });
      return { status: answer.status, code: codeIn(text), text };
    }

    function codeIn(text: string): string | undefined {
      try {
        const body = JSON.parse(text) as { code?: string; error?: { code?: string } };
        return body.code ?? body.error?.code;
      } catch {
        return undefined;
      }
    }

    const sysadmin = (method: string, path: string, body?: unknown) =>
      ask(method, `/api/v1/sysadmin${path}`, { 'x-api-key': sentinels.super }, body);
    const put = (provider: string, body: unknown) =>
      sysadmin('PUT', `/tenants/${tenant}/credentials/${provider}`, body);
    const platform = (method: string, path: string, body?: unknown) =>
      ask(method, path, { 'x-api-key': sentinels.platform, 'x-tenant-id': tenant }, body);
    const chat = (model: string, fields: object = {}) =>
      platform('POST', '/v1/chat/completions', {
        model,
        messages: [{ role: 'user', content: 'one two three' }],
        ...fields,
      });

    const azureFields = () => ({
      api_key: sentinels.azure,
      endpoint: `${tenkey.provider.url}/azure`,
      api_version: '2024-10-21',
      deployment_name: 'gpt-4o-sweden',
    });
    beforeAll(async () => {
      const created = await sysadmin('POST', '/tenants', { name: `tenant-${randomUUID()}` });
      tenant = (JSON.parse(created.text) as { id: string }).id;
    });
    beforeEach(() => tenkey.provider.reset());
    afterEach(() => expectNoLeak());

    let answersSearched = 0;
    let linesSearched = 0;
    /** What was added since the last search, so that a leak is reported by the test that caused it. */
    function expectNoLeak(): void {
      const from = { answers: answersSearched, lines: linesSearched };
      [answersSearched, linesSearched] = [answers.length, tenkey.logLines.length];
      const pieces = [
        ...answers.slice(from.answers).map(({ label, text }) => [`the response to ${label}`, text] as const),
        ...tenkey.logLines
          .slice(from.lines)
          .map((line, index) => [`log line ${from.lines + index}`, line] as const),
      ];
      const found = new Map<string, string>();
      for (const [where, text] of pieces) {
        for (const leak of leaksIn(text)) if (!found.has(leak)) found.set(leak, where);
      }
      expect([...found].map(([leak, where]) => `${leak} in ${where}`)).toEqual([]);
      // A sealed key reveals nothing without ENCRYPTION_KEY, but must not be handed out either.
      expect(pieces.filter(([, text]) => /gAAAA[\w-]{8}/.test(text)).map(([where]) => where)).toEqual([]);
    }

    specs({ tenkey, answers, tenantId: () => tenant, ask, sysadmin, put, platform, chat, azureFields });
  });
}
