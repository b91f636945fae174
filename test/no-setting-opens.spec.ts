import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '#config';
import { encryptionKey, platformKey, startTestApp, superKey } from './support/app';
import { registeredRoutes } from './support/routes';

const names = [
  ...readFileSync(join(__dirname, '../.env.example'), 'utf8').matchAll(/^([A-Z][A-Z0-9_]*)=/gm),
].map(([, name]) => name!);

/** Settings that other systems have and Tenkey does not. */
const invented = [
  'AUTH',
  'AUTH_ENABLED',
  'AUTHENTICATION',
  'AUTHENTICATION_ENABLED',
  'DISABLE_AUTH',
  'NO_AUTH',
  'SKIP_AUTH',
  'ALLOW_ANONYMOUS',
  'REQUIRE_API_KEY',
  'ENFORCE_AUTH',
  'ADMIN_AUTH',
  'DEBUG',
  'DEMO',
  'DEV_MODE',
  'INSECURE',
];

const values = ['', ',', 'true', 'false', '1', '0', 'off', 'none', '*'];
const modes = ['development', 'test', 'production'];

const usual = {
  DATABASE_URL: 'postgresql://tenkey@127.0.0.1/tenkey',
  INTRIC_SUPER_API_KEY: superKey,
  PLATFORM_API_KEY: platformKey,
  ENCRYPTION_KEY: encryptionKey,
};

/** Sets every variable to this value, except those that would then stop the start, which are listed in `stopping`. */
function allSetTo(value: string): { env: Record<string, string>; stopping: string[] } {
  const env: Record<string, string> = {};
  const stopping: string[] = [];
  for (const name of names) {
    const more = { ...env, [name]: value };
    try {
      // A setting that stops the start opens nothing.
      loadConfig({ ...usual, ...more });
      Object.assign(env, more);
    } catch {
      stopping.push(name);
    }
  }
  for (const name of invented) env[name] = value;
  return { env, stopping };
}

describe('no setting opens a route without a key:', () => {
  const environments: [string, Record<string, string>][] = [
    ...values.map((value): [string, Record<string, string>] => [
      `every variable set to ${JSON.stringify(value)}`,
      allSetTo(value).env,
    ]),
    ...modes.map((mode): [string, Record<string, string>] => [`NODE_ENV=${mode}`, { NODE_ENV: mode }]),
  ];

  it.each(environments)('%s', async (_, env) => {
    // A throttled key is refused without being checked, so this setting would hide what the others open.
    const tenkey = await startTestApp({ ...env, WRONG_KEYS_PER_MINUTE: '0' });
    try {
      const presented = ['', env.PLATFORM_API_KEY ?? '*', 'true', 'null', 'undefined'];
      const presenting = (key: string): Record<string, string>[] => [
        { 'x-api-key': key, 'x-tenant-id': '6f0c2f3e-0d7b-4a43-9a57-0e6f2f0f7c11' },
        { authorization: `Bearer ${key}` },
      ];
      const callers: Record<string, string>[] = [
        {},
        ...presented.flatMap(presenting),
        // Headers with which a proxy might describe the caller.
        { 'x-forwarded-for': '127.0.0.1', host: 'localhost', 'x-forwarded-user': 'admin' },
        { cookie: `tenkey_session=${superKey}`, 'x-tenkey-console': '1', 'sec-fetch-site': 'same-origin' },
        { 'x-original-url': '/health', 'x-rewrite-url': '/health', 'x-http-method-override': 'OPTIONS' },
      ];
      const opened = new Set<string>();
      // The documentation is public.
      const routes = registeredRoutes(tenkey).filter(([, path]) => !/^\/docs(\/|$)/.test(path));
      expect(routes.length).toBeGreaterThan(40);
      for (const [method, pattern] of routes) {
        const path = pattern
          .replace(':tenant_id', '6f0c2f3e-0d7b-4a43-9a57-0e6f2f0f7c11')
          .replace(':key_id', '0'.repeat(11))
          .replace(':provider', 'openai')
          .replace(':model', 'gpt-4o')
          .replace('*', 'gpt-4o');
        for (const headers of callers) {
          const { statusCode } = await tenkey.nest.inject({ method: method as 'GET', url: path, headers });
          if (statusCode !== 401) opened.add(`${method} ${pattern}`);
        }
      }
      expect([...opened].sort()).toEqual([
        'GET /',
        'GET /health',
        'GET /ready',
        'HEAD /',
        'HEAD /health',
        'HEAD /ready',
      ]);
    } finally {
      await tenkey.close();
    }
  });

  it('a start without the keys of the sysadmin API fails', () => {
    for (const value of values) {
      expect(() => loadConfig({ ...usual, INTRIC_SUPER_API_KEY: value })).toThrow('INTRIC_SUPER_API_KEY');
      expect(allSetTo(value).stopping).toContain('INTRIC_SUPER_API_KEY');
    }
    expect(names.length).toBeGreaterThan(50);
  });
});
