import { randomUUID } from 'node:crypto';
import { describeWithApp } from './support/app';
import { issueTenantKey } from './support/keys';

const url = '/v1/models';
/** One for each test, because a key that was accepted is known from then on. */
const platformKeys = ['first', 'second', 'third'].map((name) => `${name}-platform-key-${randomUUID()}`);
const env = { WRONG_KEYS_PER_MINUTE: '20', PLATFORM_API_KEY: platformKeys.join() };

describeWithApp('who guesses keys next to a valid tenant key', env, (tenkey) => {
  let tenantKey: string;
  let otherKey: string;
  beforeEach(async () => {
    tenantKey = (await issueTenantKey(tenkey, await tenkey.createTenant())).key;
    otherKey = (await issueTenantKey(tenkey, await tenkey.createTenant())).key;
  });

  const statusOf = async (remoteAddress: string, headers: Record<string, string>) =>
    (await tenkey.nest.inject({ method: 'GET', url, remoteAddress, headers })).statusCode;

  it.each([
    [
      'the platform key in x-api-key',
      '192.0.2.1',
      (guess: string) => ({ authorization: `Bearer ${tenantKey}`, 'x-api-key': guess }),
    ],
    [
      'the platform key in api-key',
      '192.0.2.2',
      (guess: string) => ({ 'x-api-key': tenantKey, 'api-key': guess }),
    ],
    [
      'a tenant key in Authorization',
      '192.0.2.3',
      (guess: string) => ({ authorization: `Bearer ${guess}`, 'x-api-key': tenantKey }),
    ],
  ])('is throttled: %s', async (_, address, guessing) => {
    const platformKey = platformKeys.pop()!;
    for (let each = 0; each < 20; each += 1) {
      expect(await statusOf(address, guessing(`guess-${randomUUID()}`))).toBe(200);
    }
    // Others behind the same address are not concerned.
    expect(await statusOf(address, { 'x-api-key': otherKey })).toBe(200);
    expect(await statusOf(address, { 'x-api-key': 'another-guess' })).toBe(401);
    // The tenant key still opens what it opens, and the right guess nothing more, from wherever it comes.
    const another = { 'x-tenant-id': randomUUID() };
    expect(await statusOf(address, guessing(platformKey))).toBe(200);
    expect(await statusOf(address, { ...guessing(platformKey), ...another })).toBe(403);
    expect(await statusOf('192.0.2.9', { ...guessing(platformKey), ...another })).toBe(403);
  });

  it('is not who sends the same wrong key with every request', async () => {
    for (let each = 0; each < 30; each += 1) {
      const headers = { authorization: `Bearer ${tenantKey}`, 'x-api-key': 'sk-key-of-another-service' };
      expect(await statusOf('192.0.2.4', headers)).toBe(200);
    }
    expect(await statusOf('192.0.2.4', { 'x-api-key': 'another-guess' })).toBe(401);
  });

  it('is not who sends another token of another service with each request', async () => {
    for (let each = 0; each < 60; each += 1) {
      const headers = { authorization: `Bearer eyJ.${randomUUID()}.sig`, 'x-api-key': tenantKey };
      expect(await statusOf('192.0.2.5', headers)).toBe(200);
    }
    expect(await statusOf('192.0.2.5', { 'x-api-key': otherKey })).toBe(200);
  });
});
