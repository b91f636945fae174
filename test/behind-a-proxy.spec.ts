import { randomUUID } from 'node:crypto';
import { RefusedAttemptsService } from '#audit';
import { describeWithApp, superKey } from './support/app';
import { issueTenantKey } from './support/keys';

describeWithApp(
  'behind a proxy',
  {
    TRUST_PROXY: '127.0.0.1, 10.0.0.0/8, 2001:db8::/32',
    PUBLIC_URL: 'https://platform.example/tenkey/',
    WRONG_KEYS_PER_MINUTE: undefined,
  },
  (tenkey) => {
    describe('the address in the audit', () => {
      let tenant: string;
      beforeAll(async () => {
        tenant = await tenkey.createTenant();
      });

      /** The address of a change that comes from this peer with this X-Forwarded-For. */
      async function addressOf(remoteAddress: string, forwarded?: string): Promise<string> {
        const { statusCode } = await tenkey.nest.inject({
          method: 'PATCH',
          url: `/api/v1/sysadmin/tenants/${tenant}`,
          remoteAddress,
          headers: {
            'x-api-key': superKey,
            'content-type': 'application/json',
            ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }),
          },
          payload: JSON.stringify({ display_name: randomUUID() }),
        });
        expect(statusCode).toBe(200);
        const { body } = await tenkey.sysadmin('get', `/audit-events?tenant_id=${tenant}&limit=1`);
        return body.items[0].address;
      }

      it.each([
        ['what the proxy saw', '127.0.0.1', '203.0.113.7', '203.0.113.7'],
        ['what the first of several proxies saw', '127.0.0.1', '2001:db9::7, 10.1.2.3', '2001:db9::7'],
        [
          'what the proxy saw, whatever the client said',
          '10.9.9.9',
          '198.51.100.1, 203.0.113.7',
          '203.0.113.7',
        ],
        ['the proxy, when it says nothing', '2001:db8::1', undefined, '2001:db8::1'],
        ['the proxy, when it says something else than an address', '127.0.0.1', 'sk-pasted', '127.0.0.1'],
        ['the proxy, when something hangs on the address', '127.0.0.1', '::1%sk-pasted', '127.0.0.1'],
        [
          'what the proxy saw, which reached us over a socket for IPv4 and IPv6',
          '::ffff:10.9.9.9',
          '203.0.113.7',
          '203.0.113.7',
        ],
        ['the first of proxies that all are ours', '127.0.0.1', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
        ['the proxy, when several things hang together', '127.0.0.1', '203.0.113.7:1234', '127.0.0.1'],
        [
          'the peer, which is not one of our proxies and claims to be one',
          '192.0.2.1',
          '203.0.113.7',
          '192.0.2.1',
        ],
      ])('is %s', async (_, peer, forwarded, expected) => {
        expect(await addressOf(peer, forwarded)).toBe(expected);
      });

      it('is the one that the proxy saw, even for an attempt on a path that the router cannot parse', async () => {
        const paths = ['/%zz', `/tenants/${'a'.repeat(600)}`];
        for (const path of paths) {
          const { statusCode } = await tenkey.nest.inject({
            method: 'GET',
            url: `/api/v1/sysadmin${path}`,
            remoteAddress: '127.0.0.1',
            headers: { 'x-api-key': 'a-wrong-guess-of-a-key', 'x-forwarded-for': '203.0.113.7' },
          });
          expect(statusCode).toBe(401);
        }
        await tenkey.nest.get(RefusedAttemptsService).written();
        const { body } = await tenkey.sysadmin('get', '/audit-events?outcome=refused');
        expect(body.items.map(({ address }: { address: string }) => address)).toEqual(
          paths.map(() => '203.0.113.7'),
        );
      });
    });

    describe('with a path prefix that PUBLIC_URL names', () => {
      const at = 'https://platform.example/tenkey';

      it('the OpenAPI document has the public address', async () => {
        const { body } = await tenkey.http().get('/docs/openapi.json');
        expect(body.servers.map(({ url }: { url: string }) => url)).toEqual([at]);
      });

      it('the hints of problems name addresses that the caller can use, in every format', async () => {
        const missing = '7b0e4c0a-5c5f-4d9e-8a55-0f6f1d8f5a11';
        const sysadmin = await tenkey.sysadmin('get', `/tenants/${missing}`);
        expect(sysadmin.body.hint).toBe(
          `GET ${at}/api/v1/sysadmin/tenants lists them; POST there creates one.`,
        );
        const tenant = await tenkey.createTenant();
        const put = `PUT ${at}/api/v1/sysadmin/tenants/${tenant}/credentials/openai `;
        expect((await tenkey.chat(tenant)).body.error.message).toContain(put);
        const message = { model: 'gpt-4o', max_tokens: 9, messages: [{ role: 'user', content: 'hello' }] };
        expect((await tenkey.call(tenant, 'messages', message)).body.error.message).toContain(put);
      });

      it('the hints of the explanation and of the readiness report do so too', async () => {
        const tenant = await tenkey.createTenant('with-hints');
        const put = `PUT ${at}/api/v1/sysadmin/tenants/${tenant}/credentials/mistral `;
        const explained = (await tenkey.sysadmin('get', `/tenants/${tenant}/models`)).body.models;
        const ofMistral = explained.find(({ provider }: { provider: string }) => provider === 'mistral');
        expect(ofMistral.problem.hint).toContain(put);
        const { body } = await tenkey.sysadmin('get', '/readiness?tenant=with-hints&provider=mistral');
        expect(body.items[0].providers[0].problem.hint).toContain(put);
      });

      it('/ leads to the public address', async () => {
        const { body } = await tenkey.http().get('/');
        expect([body.platform_api, body.docs]).toEqual([`${at}/v1`, `${at}/docs`]);
        const browser = await tenkey.http().get('/').set('accept', 'text/html');
        expect([browser.status, browser.headers.location]).toEqual([302, `${at}/docs`]);
      });
    });

    describe('a client', () => {
      let tenant: string;
      beforeAll(async () => {
        tenant = await tenkey.createTenant();
      });

      /** A request of a client, which comes through the proxy. */
      const get = (client: string, url: string, headers: Record<string, string>) =>
        tenkey.nest.inject({
          method: 'GET',
          url,
          remoteAddress: '127.0.0.1',
          headers: { 'x-forwarded-for': client, ...headers },
        });
      const guessTwentyTimes = async (client: string) => {
        for (let each = 0; each < 10; each += 1) {
          const wrong = { 'x-api-key': `a-wrong-guess-${each}` };
          expect((await get(client, '/api/v1/sysadmin/tenants', wrong)).statusCode).toBe(401);
          expect((await get(client, '/v1/models', wrong)).statusCode).toBe(401);
        }
      };

      it('is throttled after 20 wrong keys, for both APIs together and in the format of each', async () => {
        const [client, another] = ['198.51.100.7', '198.51.100.8'];
        await guessTwentyTimes(client);
        const { key } = await issueTenantKey(tenkey, tenant);
        const bearer = { authorization: `Bearer ${key}` };
        const answers = [
          await get(client, '/api/v1/sysadmin/tenants', { 'x-api-key': 'another-guess' }),
          await get(client, '/v1/models', bearer),
          await get(client, '/v1/models', { 'x-api-key': key, 'anthropic-version': '2023-06-01' }),
        ];
        expect(answers.map((answer) => [answer.statusCode, answer.headers['x-tenkey-problem']])).toEqual(
          answers.map(() => [429, 'throttled']),
        );
        for (const { headers } of answers) {
          expect(Number(headers['retry-after'])).toBeGreaterThan(25);
          expect(Number(headers['retry-after'])).toBeLessThanOrEqual(30);
        }
        const [problem, openAi, anthropic] = answers.map((answer) => answer.json());
        expect(problem).toMatchObject({
          code: 'throttled',
          hint: expect.stringMatching(/try again in \d+ s/),
        });
        expect(openAi).toMatchObject({ error: { type: 'rate_limit_error', tenkey_code: 'throttled' } });
        expect(anthropic).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
        // The tenant key was refused although it is valid: it was not looked up. Elsewhere it is accepted, and from then on it is known.
        expect((await get(another, '/v1/models', bearer)).statusCode).toBe(200);
        expect((await get(client, '/v1/models', bearer)).statusCode).toBe(200);
        expect((await get(client, '/api/v1/sysadmin/tenants', { 'x-api-key': superKey })).statusCode).toBe(
          200,
        );
        expect(tenkey.logLines.filter((line) => line.includes('20 wrong keys came from'))).toHaveLength(1);
      });

      it('may have no key, or guess no more with a known key in another header', async () => {
        const client = '198.51.100.9';
        for (let each = 0; each < 25; each += 1)
          expect((await get(client, '/v1/models', {})).statusCode).toBe(401);
        await guessTwentyTimes(client);
        expect((await get(client, '/v1/models', {})).statusCode).toBe(401);
        const { key } = await issueTenantKey(tenkey, tenant);
        const bearer = { authorization: `Bearer ${key}` };
        expect((await get('198.51.100.8', '/v1/models', bearer)).statusCode).toBe(200);
        const guess = { 'x-api-key': 'another-guess', ...bearer };
        expect((await get(client, '/api/v1/sysadmin/tenants', guess)).statusCode).toBe(429);
      });
    });
  },
);
