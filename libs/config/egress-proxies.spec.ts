import { generateKey } from '#crypto';
import { loadConfig } from './config';

const load = (env: Record<string, string>) =>
  loadConfig({
    DATABASE_URL: 'postgresql://localhost/tenkey',
    INTRIC_SUPER_API_KEY: 'a-super-key-of-enough-length',
    ENCRYPTION_KEY: generateKey(),
    ...env,
  });
const proxiesOf = (env: Record<string, string>) => load(env).egressProxies;
const places = (env: Record<string, string>) => {
  const { forHttps, forHttp } = proxiesOf(env);
  return [forHttps?.place, forHttp?.place];
};

test.each([
  ['http://proxy.example:3128', 'proxy.example:3128', false],
  ['http://proxy.example:3128/', 'proxy.example:3128', false],
  ['proxy.example:3128', 'proxy.example:3128', false],
  ['http://proxy.example', 'proxy.example:80', false],
  ['https://proxy.example', 'proxy.example:443', true],
  ['http://[fd00::1]:3128', '[fd00::1]:3128', false],
])('EGRESS_PROXY=%s is for all addresses', (EGRESS_PROXY, place, isSecure) => {
  const { forHttps, forHttp } = proxiesOf({ EGRESS_PROXY, HTTPS_PROXY: 'http://other.example:1' });
  expect(forHttp).toBe(forHttps);
  expect(forHttps).toMatchObject({ place, isSecure, variable: 'EGRESS_PROXY', authorization: undefined });
});

test.each<[Record<string, string>, (string | undefined)[]]>([
  [{ HTTPS_PROXY: 'http://a:1', HTTP_PROXY: 'http://b:2' }, ['a:1', 'b:2']],
  [{ https_proxy: 'http://a:1', HTTPS_PROXY: 'http://b:2' }, ['a:1', undefined]],
  [{ HTTP_PROXY: 'http://b:2', ALL_PROXY: 'http://c:3' }, ['c:3', 'b:2']],
  [{ all_proxy: 'c:3' }, ['c:3', 'c:3']],
  [{ HTTPS_PROXY: '', ALL_PROXY: 'http://c:3' }, ['c:3', 'c:3']],
  [{}, [undefined, undefined]],
])('EGRESS_PROXY=environment with %j uses %j', (env, expected) => {
  expect(places({ EGRESS_PROXY: 'environment', ...env })).toEqual(expected);
  expect(places(env)).toEqual([undefined, undefined]);
});

test('a user and a password are decoded, and removed wherever they could be printed', () => {
  const password = 'p@ss/word-of-the-proxy';
  const config = load({ EGRESS_PROXY: `http://us%40er:${encodeURIComponent(password)}@proxy.example:3128` });
  const { forHttps } = config.egressProxies;
  expect(forHttps?.authorization?.expose()).toBe(
    `Basic ${Buffer.from(`us@er:${password}`).toString('base64')}`,
  );
  expect(config.secrets.map((secret) => secret.expose())).toContain(password);
  expect(JSON.stringify(config)).not.toContain('word-of');
});

test('the address of a proxy is no secret, so that errors can name it', () => {
  const { secrets } = load({ EGRESS_PROXY: 'http://proxy.example:3128' });
  expect(secrets.map((secret) => secret.expose()).join()).not.toContain('proxy');
});

test.each<[string, Record<string, string>]>([
  ['EGRESS_PROXY', { EGRESS_PROXY: 'socks5://q7zk.example:1080' }],
  ['EGRESS_PROXY', { EGRESS_PROXY: 'true' }],
  ['EGRESS_PROXY', { EGRESS_PROXY: 'http://q7zk.example:3128/path' }],
  ['EGRESS_PROXY', { EGRESS_PROXY: 'http://user:q7zk%@proxy.example:3128' }],
  ['ALL_PROXY', { EGRESS_PROXY: 'environment', ALL_PROXY: 'socks5://q7zk.example:1080' }],
  ['https_proxy', { EGRESS_PROXY: 'environment', https_proxy: 'q7zk.example' }],
])('a wrong %s is a fault that does not contain the value: %j', (name, env) => {
  expect(() => load(env)).toThrow(new RegExp(`- ${name} must be .*http or https URL of a proxy`));
  expect(() => load(env)).not.toThrow(/q7zk/);
});

test.each<[string, Record<string, string>, RegExp]>([
  [
    'a proxy that is named but not used',
    { HTTPS_PROXY: 'http://user:q7zk@p.example:1', all_proxy: 'socks5://p.example:2', NO_PROXY: '192.168.*' },
    /^calls go to the providers directly, although a proxy is named \(HTTPS_PROXY, all_proxy\)\. Set EGRESS_PROXY=environment/,
  ],
  [
    'an environment without a proxy for https',
    { EGRESS_PROXY: 'environment', HTTP_PROXY: 'http://p.example:1' },
    /^EGRESS_PROXY=environment, but neither HTTPS_PROXY nor ALL_PROXY is set/,
  ],
  [
    'an entry of NO_PROXY without a meaning',
    { EGRESS_PROXY: 'http://p.example:1', no_proxy: 'a.example,192.168.*' },
    /^no_proxy: entry 2 has no effect/,
  ],
])('a start warns of %s', (_, env, warning) => {
  const { warnings } = proxiesOf(env);
  expect(warnings).toEqual([expect.stringMatching(warning)]);
  expect(warnings.join()).not.toMatch(/q7zk|p\.example|192/);
});

test.each<Record<string, string>>([
  {},
  { NO_PROXY: 'localhost' },
  { EGRESS_PROXY: 'http://p.example:1', HTTPS_PROXY: 'http://p.example:1', NO_PROXY: 'localhost,.svc' },
  { EGRESS_PROXY: 'environment', HTTPS_PROXY: 'http://p.example:1' },
])('a start does not warn of %j', (env) => {
  expect(proxiesOf(env).warnings).toEqual([]);
});
