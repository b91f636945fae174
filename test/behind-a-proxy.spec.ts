import { randomUUID } from 'node:crypto';
import { RefusedAttemptsService } from '#audit';
import { describeWithApp, superKey } from './support/app';

describeWithApp(
  'the address in the audit behind a proxy',
  { TRUST_PROXY: '127.0.0.1, 10.0.0.0/8, 2001:db8::/32' },
  (tenkey) => {
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
  },
);
