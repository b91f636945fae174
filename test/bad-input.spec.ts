import { connect } from 'node:net';
import fc from 'fast-check';
import { type ProblemCode, problems } from '#http';
import { describeWithApp, encryptionKey, platformKey, superKey } from './support/app';
import { badInputs } from './support/bad-inputs';
import {
  asPlatform,
  asSysadmin,
  type Input,
  json,
  marker,
  maxBodyBytes,
  sysadminRoot,
  tenantKey,
} from './support/bad-inputs/ingredients';

/** The same 2,000 inputs at each run; another number explores others. */
const seed = 20_251_124;
const count = 2000;

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

describeWithApp(
  'bad input',
  {
    MAX_BODY_BYTES: String(maxBodyBytes),
    // Otherwise parameters that a provider does not have are left out, and what remains is a valid request.
    STRICT_PARAMS: 'true',
  },
  (tenkey) => {
    let tenant: string;
    beforeAll(async () => {
      tenant = await tenkey.createTenant();
      await tenkey.setCredential(tenant, 'openai', { api_key: tenantKey });
      await tenkey.setCredential(tenant, 'anthropic', { api_key: tenantKey });
      tenkey.provider.reset();
    });

    /** Uses a bare socket, because a client library would correct or refuse most of this input. */
    function send(input: Input): Promise<Answer> {
      const { port } = tenkey.nest.getHttpServer().address() as { port: number };
      return new Promise((resolve, reject) => {
        const parts: Buffer[] = [];
        const socket = connect(port, '127.0.0.1');
        const timer = setTimeout(() => finish(new Error('no response in 10 s')), 10_000);
        const finish = (error?: Error) => {
          clearTimeout(timer);
          socket.destroy();
          const answer = parsed(Buffer.concat(parts));
          if (answer) resolve(answer);
          else reject(error ?? new Error('the connection was closed without a response'));
        };
        socket.on('data', (part) => {
          parts.push(part);
          if (parsed(Buffer.concat(parts))) finish();
        });
        // A refused body is not read to its end; the response that was sent before that counts.
        socket.on('error', finish);
        socket.on('close', () => finish());
        socket.write(bytesOf(input));
      });
    }

    function bytesOf({ method, path, headers = [], body, isChunked, raw }: Input): Buffer {
      if (raw !== undefined) return Buffer.isBuffer(raw) ? raw : Buffer.from(raw, 'latin1');
      const lines = [`${method} ${path} HTTP/1.1`, 'host: tenkey.test'];
      for (const [name, value] of headers) lines.push(`${name}: ${value}`);
      const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body ?? '');
      if (isChunked) lines.push('transfer-encoding: chunked');
      else if (body !== undefined) lines.push(`content-length: ${bytes.length}`);
      const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
      if (!isChunked) return Buffer.concat([head, bytes]);
      const chunk =
        bytes.length === 0
          ? []
          : [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')];
      return Buffer.concat([head, ...chunk, Buffer.from('0\r\n\r\n')]);
    }

    /** Undefined until the response is complete. */
    function parsed(bytes: Buffer): Answer | undefined {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) return undefined;
      const head = bytes.toString('latin1', 0, end);
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      const body = bytes.subarray(end + 4);
      if (body.length < length) return undefined;
      // A request that was pipelined after it may have its own response.
      return { status: Number(head.split(' ')[1]), head, body: body.toString('utf8', 0, length) };
    }

    /** What is wrong with the response to bad input, or undefined. */
    function faultOf(input: Input, { status, head, body }: Answer): string | undefined {
      if (status < 400 || status > 499) return 'not a 4xx';
      let json: Record<string, any>;
      try {
        json = JSON.parse(body) as Record<string, any>;
      } catch {
        return 'the body is no JSON';
      }
      const isOpenAi = typeof json.error === 'object';
      const code = (isOpenAi ? json.error.code : json.code) as ProblemCode;
      if (!Object.hasOwn(problems, code)) return 'no known code';
      const known: { status: number; alsoStatus?: readonly number[] } = problems[code];
      // Input that cannot be parsed as HTTP gets the code and a title; there is no request to refer to.
      if (!/^x-tenkey-request-id: /im.test(head)) {
        if (![400, 431].includes(status) || code !== 'malformed_request') return 'no request id';
      } else {
        if (status !== known.status && !known.alsoStatus?.includes(status))
          return 'not the status of the code';
        if (isOpenAi && (typeof json.error.message !== 'string' || typeof json.error.type !== 'string')) {
          return "not OpenAI's shape";
        }
        if (!isOpenAi && (json.status !== status || json.type !== `urn:tenkey:problem:${code}`)) {
          return 'not the shape of a problem';
        }
        if (input.raw === undefined && input.path.startsWith('/v1/') !== isOpenAi)
          return 'the shape of another API';
      }
      // This is the only input that a problem repeats: the name of a parameter that the provider's format does not have.
      if (code === 'parameter_not_supported') delete json.error.param;
      const shown = `${JSON.stringify(json)}\n${head}`.toLowerCase();
      if (shown.includes(marker.toLowerCase())) return 'repeats the input';
      const secrets = [superKey, platformKey, encryptionKey, tenantKey];
      if (secrets.some((secret) => shown.includes(secret.toLowerCase()))) return 'shows a secret';
      return undefined;
    }

    it(`gets a 4xx response in our shape and changes nothing, in ${count} samples`, async () => {
      const before = await snapshot();
      const samples = fc.sample(badInputs(tenant), { seed, numRuns: count });
      const failures: string[] = [];
      let next = 0;
      const worker = async () => {
        while (next < samples.length) {
          const index = next++;
          const input = samples[index]!;
          let fault: string | undefined;
          let shown = '';
          try {
            const answer = await send(input);
            fault = faultOf(input, answer);
            shown = `${answer.status} ${answer.body.slice(0, 120)}`;
          } catch (error) {
            fault = String(error);
          }
          if (fault === undefined) continue;
          const request = JSON.stringify(bytesOf(input).toString('latin1'));
          failures.push(`${index}: ${fault}: ${shown} <- ${request.slice(0, 400)} (${request.length})`);
        }
      };
      await Promise.all(Array.from({ length: 4 }, worker));
      expect({ seed, failed: failures.length, first: failures.slice(0, 12) }).toEqual({
        seed,
        failed: 0,
        first: [],
      });

      expect(tenkey.provider.requests).toHaveLength(0);
      expect(await snapshot()).toEqual(before);
      const loud = tenkey.logLines.filter((line) => (JSON.parse(line) as { level: number }).level >= 50);
      expect(loud).toEqual([]);
      const log = tenkey.logLines.join('').toLowerCase();
      for (const text of [marker, superKey, platformKey, encryptionKey, tenantKey]) {
        expect(log.includes(text.toLowerCase())).toBe(false);
      }
      expect((await tenkey.http().get('/health')).body).toEqual({ status: 'ok' });
      const call = await tenkey.chat(tenant);
      expect([call.status, tenkey.provider.requests[0]?.key]).toEqual([200, tenantKey]);
    }, 60_000);

    it('is refused or understood correctly where it is nearly valid', async () => {
      const bodies = [
        '{"model":"gpt-4o","messages":[]}',
        '\ufeff{"model":"gpt-4o","messages":[]}',
        '{"model":"gpt-4o","messages":[],"__proto__":{"model":"x"},"constructor":5,"then":1}',
        `{"model":"gpt-4o","messages":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
        '{"model":"claude-sonnet","messages":[{"role":"user","content":"\\ud800"}]}',
      ];
      const expectGood = async (input: Input) => {
        const answer = await send(input);
        const fault = answer.status === 200 ? undefined : faultOf(input, answer);
        expect([String(input.body).slice(0, 200), answer.status, fault]).toEqual([
          expect.anything(),
          answer.status,
          undefined,
        ]);
      };
      for (const body of bodies) {
        const headers = [...asPlatform(tenant), ...json];
        await expectGood({ method: 'POST', path: '/v1/chat/completions', headers, body });
      }
      const put = `${sysadminRoot}/${await tenkey.createTenant()}/credentials`;
      const azure = {
        api_key: tenantKey,
        endpoint: 'https://sundsvall.openai.azure.com',
        api_version: '2024-10-21',
        deployment_name: 'gpt-4o',
      };
      for (const [provider, body] of [
        ['azure', { ...azure, deployments: { constructor: 'one', toString: 'two', isPrototypeOf: 'three' } }],
        ['azure', { ...azure, deployments: { constructor: 'two', hasOwnProperty: 'one' } }],
        [
          'openai',
          { api_key: tenantKey, constructor: { name: 'x' }, valueOf: 1, unknown: { constructor: 5 } },
        ],
        ['openai', { api_key: tenantKey, endpoint: 'https://llm.example.com/\ud800' }],
        ['openai', { api_key: tenantKey, endpoint: 'https://llm.example.com/\u0000' }],
      ] as const) {
        const headers = [...asSysadmin, ...json];
        await expectGood({ method: 'PUT', path: `${put}/${provider}`, headers, body: JSON.stringify(body) });
      }
    });

    async function snapshot(): Promise<unknown> {
      const rows = (table: string) =>
        tenkey.database.query<unknown[]>(`SELECT t::text FROM ${table} t ORDER BY 1`);
      return {
        tenants: await rows('tenants'),
        credentials: await rows('tenant_credentials'),
        slots: await rows('credential_slots'),
      };
    }
  },
);
