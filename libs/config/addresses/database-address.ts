/** The modes of libpq. `allow` is not among them: it prefers a connection without TLS. */
const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

/** The parts of the address of a database, as libpq understands them. */
export interface DatabaseAddress {
  /** A name, an address, or the folder of a socket. */
  readonly host: string;
  readonly port: number;
  /** What is undefined here, node-postgres takes from the variables of PostgreSQL, such as PGPASSWORD. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly sslMode: SslMode;
  /** Paths of PEM files. */
  readonly sslRootCert: string | undefined;
  readonly sslCert: string | undefined;
  readonly sslKey: string | undefined;
  readonly applicationName: string | undefined;
  /** Options of the server's session, such as `-c search_path=tenkey`. */
  readonly options: string | undefined;
}

const percentRule = 'Percent-encode special characters of the password (@ is %40).';
const portRule = 'A port is a whole number from 1 to 65535.';
const oneHost =
  'Name one: that of the primary, or one that always leads to the primary, such as that of a pooler.';
const sslParameters = new Set([
  'ssl',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslnegotiation',
  'sslsni',
]);

/** @returns the fault as the rest of a sentence that begins with the name of the setting; it contains nothing of the text */
export function parseDatabaseUrl(text: string): DatabaseAddress | string {
  const [, authority, rest = ''] = /^postgres(?:ql)?:\/\/([^/?#]*)([^]*)$/.exec(text) ?? [];
  if (authority === undefined) {
    // Written apart, because the log removes what looks like user and password in a URL.
    return `must begin with postgresql:// or postgres://, followed by \`user:password@host:5432/tenkey\`. ${percentRule}`;
  }
  // A password with / ? or # ends the authority, and one with @ makes a part of it look like the host, so neither is guessed.
  const isAmbiguous = rest.includes('@') || rest.includes('#') || authority.split('@').length > 2;
  const url = isAmbiguous || /%(?![0-9a-f]{2})/i.test(text) ? undefined : urlOf(authority, rest);
  if (url === undefined) {
    const host = isAmbiguous ? '' : (authority.split('@').at(-1) ?? '');
    if (host.includes(',')) return `names several hosts. ${oneHost}`;
    if (/:\d{5,}$/.test(host)) return `has an invalid port. ${portRule}`;
    return `is not a valid URL. ${percentRule}`;
  }
  const query = url.searchParams;
  const sslMode = query.get('sslmode') ?? (query.get('ssl') === 'true' ? 'require' : 'prefer');
  if (!isSslMode(sslMode)) return `has an unknown sslmode. Set it to one of ${sslModes.join(', ')}.`;
  if (query.has('ssl') && query.get('ssl') !== 'true')
    return 'has the parameter ssl. Set sslmode in its place.';
  if ([...query.keys()].some((name) => name.startsWith('ssl') && !sslParameters.has(name))) {
    return 'has an unknown parameter that begins with ssl. There are sslmode, sslrootcert, sslcert and sslkey.';
  }
  const port = Number(query.get('port') ?? (url.port || 5432));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return `has an invalid port. ${portRule}`;
  const [sslRootCert, sslCert, sslKey] = ['sslrootcert', 'sslcert', 'sslkey'].map(
    (name) => query.get(name) || undefined,
  );
  if (sslMode === 'verify-ca' && (sslRootCert === undefined || sslRootCert === 'system')) {
    return 'has sslmode=verify-ca, which needs sslrootcert. Set it to the file of the certificate of the CA, or set sslmode=verify-full.';
  }
  if ((sslCert === undefined) !== (sslKey === undefined)) {
    return 'has only one of sslcert and sslkey. Set both: the file of the certificate of the client, and that of its key.';
  }
  const host =
    query.get('host') || decodeURIComponent(url.hostname).replace(/^\[(.+)\]$/, '$1') || 'localhost';
  if (host.includes(',')) return `names several hosts. ${oneHost}`;
  return {
    host,
    port,
    user: query.get('user') || decodeURIComponent(url.username) || undefined,
    password: query.get('password') || decodeURIComponent(url.password) || undefined,
    database: query.get('dbname') || decodeURIComponent(url.pathname.slice(1)) || undefined,
    sslMode,
    sslRootCert,
    sslCert,
    sslKey,
    applicationName: query.get('application_name') || undefined,
    options: query.get('options') || undefined,
  };
}

/** Without a host, WHATWG's URL accepts neither a user nor a port. */
function urlOf(authority: string, rest: string): URL | undefined {
  const complete = authority === '' || authority.endsWith('@') ? `${authority}localhost` : authority;
  const url = URL.canParse(`postgres://${complete}${rest}`)
    ? new URL(`postgres://${complete}${rest}`)
    : undefined;
  if (url === undefined) return undefined;
  const parts = [url.username, url.password, url.hostname, url.pathname];
  return parts.every(isDecodable) ? url : undefined;
}

/** False for bytes that are no UTF-8. */
function isDecodable(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

function isSslMode(text: string): text is SslMode {
  return (sslModes as readonly string[]).includes(text);
}

/** The URL of the parts, each of which may contain any character. @param parameters as in the query of a URL */
export function databaseUrlOf(parts: {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  readonly password: string | undefined;
  readonly parameters: string | undefined;
}): string {
  const { host, port, name, user, password, parameters } = parts;
  const address = host.includes(':') ? `[${host}]` : encodeURIComponent(host);
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
  const query = parameters === undefined ? '' : `?${parameters}`;
  return `postgresql://${encodeURIComponent(user)}${secret}@${address}:${port}/${encodeURIComponent(name)}${query}`;
}
