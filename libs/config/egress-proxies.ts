import { Secret } from '#crypto';
import { portOf } from './addresses/addresses';
import { type AllowRule } from './addresses/allow-list';
import { parseNoProxy } from './addresses/no-proxy';
import { FROM_ENVIRONMENT, proxyUrl, urlOfProxy } from './settings/kinds';
import { type SettingReader } from './settings/setting-reader';

/** A proxy through which connections to providers are opened. */
export interface EgressProxy {
  /** The variable that names it. */
  readonly variable: string;
  /** True when the connection to the proxy itself uses TLS. */
  readonly isSecure: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number;
  /** `host:port`, for texts. */
  readonly place: string;
  /** The value of the header Proxy-Authorization. */
  readonly authorization: Secret | undefined;
}

/** The proxies for connections to providers. */
export interface EgressProxies {
  readonly forHttps: EgressProxy | undefined;
  readonly forHttp: EgressProxy | undefined;
  /** The hosts that are called without a proxy. */
  readonly noProxy: readonly AllowRule[];
  /** Passwords, for redaction. */
  readonly secrets: readonly Secret[];
  /** What may surprise the operator, as sentences without any value. */
  readonly warnings: readonly string[];
}

/** The usual variables in the order in which they are looked at. As in curl, lower case comes first. */
const usual = {
  forHttps: ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'],
  forHttp: ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'],
  noProxy: ['no_proxy', 'NO_PROXY'],
};

/** @param setting the value of EGRESS_PROXY */
export function readEgressProxies(reader: SettingReader, setting: Secret | undefined): EgressProxies {
  const isSet = (name: string) => reader.text(name) !== undefined;
  const warnings: string[] = [];
  const secrets: Secret[] = [];
  const proxyOf = (variable: string | undefined, value: Secret | undefined): EgressProxy | undefined => {
    const url = value && urlOfProxy(value.expose());
    if (variable === undefined || url === undefined) return undefined;
    const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
    const hasUser = user !== '' || password !== '';
    // Some proxies take a token as the user name.
    if (hasUser) secrets.push(new Secret(password === '' ? user : password));
    const isSecure = url.protocol === 'https:';
    const port = portOf(url);
    return {
      variable,
      isSecure,
      hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      place: `${url.hostname}:${port}`,
      authorization: hasUser
        ? new Secret(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`)
        : undefined,
    };
  };
  const usualProxy = (names: readonly string[]) => {
    const name = names.find(isSet);
    return name === undefined ? undefined : proxyOf(name, reader.value({ name, kind: proxyUrl }));
  };

  const isFromEnvironment = setting?.expose() === FROM_ENVIRONMENT;
  const own = isFromEnvironment ? undefined : proxyOf('EGRESS_PROXY', setting);
  const forHttps = isFromEnvironment ? usualProxy(usual.forHttps) : own;
  const forHttp = isFromEnvironment ? usualProxy(usual.forHttp) : own;
  const ignored = [...new Set([...usual.forHttps, ...usual.forHttp])].filter(isSet);
  if (setting === undefined && ignored.length > 0) {
    warnings.push(
      `calls go to the providers directly, although a proxy is named (${ignored.join(', ')}). Set EGRESS_PROXY=environment to use it.`,
    );
  }
  if (isFromEnvironment && !usual.forHttps.some(isSet)) {
    warnings.push(
      'EGRESS_PROXY=environment, but neither HTTPS_PROXY nor ALL_PROXY is set: https calls go to the providers directly.',
    );
  }
  const noProxyName = usual.noProxy.find(isSet);
  const { rules, unknown } = parseNoProxy((noProxyName && reader.text(noProxyName)) ?? '');
  if (setting !== undefined && unknown.length > 0) {
    warnings.push(
      `${noProxyName}: entry ${unknown.join(', ')} has no effect. An entry must be a name, an address or a CIDR range, each optionally with a port.`,
    );
  }
  return Object.freeze({ forHttps, forHttp, noProxy: rules, secrets, warnings });
}
