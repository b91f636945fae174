import { Secret } from '#crypto';
import { fixedProviders } from '#providers';
import { EgressService } from '../egress.service';
import { probeOutcomes, interpretProbeResponse } from './probe-result';
import { noError } from '../upstream-error';
import type { Destination } from '../route';

describe('a probe', () => {
  const url = new URL('https://llm.example.com/v1/models');

  it.each(fixedProviders.map((provider) => [provider.id, provider] as const))(
    'of %s has an outcome for every status, and only success and proof of the key are accepted',
    (_, provider) => {
      const error = { ...noError, message: 'Incorrect API key provided: sk-secret' };
      const wrong: unknown[] = [];
      for (const hasBody of [false, true]) {
        for (let status = 100; status < 600; status += 1) {
          for (const isPage of [false, true]) {
            const response = { status, error, isPage, hasBody };
            const { outcome, detail, isRefused } = interpretProbeResponse({ provider, url }, response, 5);
            const isSuccess = status >= 200 && status < 300;
            const isProof = !isPage && (isSuccess || (hasBody && [400, 404, 422].includes(status)));
            const isCorrect =
              probeOutcomes.includes(outcome) &&
              (outcome !== 'accepted' || isProof) &&
              (outcome !== 'rejected' || isRefused);
            const isClean = detail.includes(`status ${status}`) && !detail.includes('sk-secret');
            if (!isCorrect || !isClean) wrong.push({ ...response, outcome, detail });
          }
        }
      }
      expect(wrong).toEqual([]);
      const of = (status: number) =>
        interpretProbeResponse(
          { provider, url },
          { status, error: noError, isPage: false, hasBody: false },
          5,
        ).outcome;
      expect([of(200), of(401), of(403), of(429), of(440), of(500)]).toEqual([
        'accepted',
        'rejected',
        'forbidden',
        'quota',
        'unknown',
        'unknown',
      ]);
    },
  );

  describe('opens no key', () => {
    const [provider] = fixedProviders;
    const open = jest.fn(() => new Secret('sk-never-opened-1234'));
    const egress = new EgressService({
      allow: [],
      ownPort: () => undefined,
      processSecrets: [],
      timeoutsOf: () => ({ connectMs: 500, firstByteMs: 500, idleMs: 500 }),
      retries: 0,
      retryRateLimitedMs: 0,
      circuitFailures: 0,
    });
    afterAll(() => egress.onApplicationShutdown());

    const destination = (
      change: Partial<Destination>,
      endpoint = 'https://llm.example.com/v1',
    ): Destination => ({
      tenantId: 'a',
      provider: provider!,
      url,
      host: 'llm.example.com',
      version: '1',
      isOperatorAddress: false,
      credential: {
        tenantId: 'a',
        provider: provider!,
        source: 'tenant',
        mask: '...1234',
        version: '1',
        settings: { endpoint },
        open,
      },
      ...change,
    });

    it.each([
      ['for another tenant', { tenantId: 'b' }],
      ['for another provider', { provider: fixedProviders[1]! }],
      ['of another version', { version: '2' }],
      ['at another host than that of the route', { url: new URL('https://other.example.com/v1/models') }],
      [
        'at another host than that of the credential',
        { url: new URL('https://other.example.com/v1/models'), host: 'other.example.com' },
      ],
      ['at another port', { url: new URL('https://llm.example.com:8443/v1/models') }],
      ['with another scheme', { url: new URL('http://llm.example.com/v1/models') }],
      ['with a tenant’s address marked as the operator’s', { isOperatorAddress: true }],
    ])('%s', async (_, change) => {
      const probing = egress.probe(destination(change), { method: 'GET', url });
      await expect(probing).rejects.toMatchObject({ code: 'internal_error' });
      expect(open).not.toHaveBeenCalled();
    });

    it('for an address that tenants may not use', async () => {
      const local = new URL('http://169.254.169.254/v1/models');
      const result = await egress.probe(
        destination({ url: local, host: '169.254.169.254' }, 'http://169.254.169.254/v1'),
        {
          method: 'GET',
          url: local,
        },
      );
      expect(result).toMatchObject({ outcome: 'unreachable', isRefused: false });
      expect(result.detail).toContain('a metadata address');
      expect(open).not.toHaveBeenCalled();
    });
  });
});
