/** The database cannot be reached or used. The message names the host and the database, never the password. */
export class DatabaseStartError extends Error {
  override readonly name = 'DatabaseStartError';
}

/** What texts call the parts of an address, so that they name the settings that have them. */
export interface AddressNames {
  readonly host: string;
  readonly hostAndPort: string;
  readonly database: string;
  readonly login: string;
  /** Such as `in DATABASE_URL`, after a parameter. */
  readonly inParameters: string;
}

/** What is wrong with an attempt to connect, and how to correct it. Waiting does not help. */
interface ConnectionFault {
  readonly reason: string;
  /** A sentence. */
  fix(names: AddressNames): string;
}

const unknownAuthority = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
]);

const setClientCertificate = ({ inParameters }: AddressNames) =>
  `Set sslcert ${inParameters} to a client certificate that the server accepts, and sslkey to its private key.`;

/** @returns undefined for an error that has nothing to do with TLS */
export function tlsFaultOf(error: unknown): ConnectionFault | undefined {
  const { code, message, cert } = describe(error);
  if (unknownAuthority.has(code)) {
    return {
      reason: 'the certificate of the server was issued by an unknown CA',
      fix: ({ inParameters }) => `Set sslrootcert ${inParameters} to the file of the certificate of its CA.`,
    };
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = typeof cert?.subjectaltname === 'string' ? ` (${cert.subjectaltname})` : '';
    return {
      reason: 'the certificate of the server is for another host name',
      fix: ({ host, inParameters }) =>
        `Set ${host} to a name in the certificate${names}, or set sslmode=verify-ca ${inParameters}.`,
    };
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return {
      reason: `the certificate of the server ${code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet'}`,
      fix: ({ inParameters }) =>
        `Renew the certificate of the server. Until then, set sslmode=require and remove sslrootcert ${inParameters}, so that it is not checked.`,
    };
  }
  if (/^CERT_|^CRL_|_CRL$|^HOSTNAME_MISMATCH$|_CERT(_|$)/.test(code) && !code.startsWith('ERR_SSL')) {
    return {
      reason: `the certificate of the server is not valid (${code})`,
      fix: ({ inParameters }) =>
        `Correct the certificate of the server, or the file of sslrootcert ${inParameters}.`,
    };
  }
  if (message === 'The server does not support SSL connections') {
    return {
      reason: 'the server does not offer TLS',
      fix: ({ inParameters }) => `Switch TLS on in the server, or set sslmode=disable ${inParameters}.`,
    };
  }
  if (/, no encryption$|SSL off$|SSL required/.test(message)) {
    return {
      reason: 'the server demands TLS',
      fix: ({ inParameters }) => `Set sslmode=require ${inParameters}.`,
    };
  }
  if (/certificate/i.test(message) && code === '28000') {
    return {
      reason: 'the server demands the certificate of a client',
      fix: setClientCertificate,
    };
  }
  if (/, SSL (encryption|on)$/.test(message)) {
    return {
      reason: 'the server refuses this user, database or address over TLS',
      fix: ({ inParameters }) => `Set sslmode=disable ${inParameters}, or correct pg_hba.conf of the server.`,
    };
  }
  if (/^ERR_SSL_.*ALERT/.test(code)) {
    return {
      reason: `the server refuses the certificate of the client, or this kind of TLS (${code})`,
      fix: setClientCertificate,
    };
  }
  if (/^ERR_SSL_|^EPROTO$/.test(code) || message === 'There was an error establishing an SSL connection') {
    return {
      reason: `the TLS handshake failed${code === '' ? '' : ` (${code})`}`,
      fix: ({ inParameters }) =>
        `Check that the port is that of PostgreSQL, or set sslmode=disable ${inParameters}.`,
    };
  }
  return undefined;
}

export const isTlsFault = (error: unknown): boolean => tlsFaultOf(error) !== undefined;

/**
 * Why the database cannot be used. Only what the server itself says is quoted, and otherwise the code of the error: other texts may
 * contain the address.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof DatabaseStartError) return error.message.replace(/\.$/, '');
  const { severity, message, code, name } = describe(error);
  const fault = tlsFaultOf(error);
  if (fault !== undefined) return fault.reason;
  if (severity !== undefined) return message;
  if (/timeout|no response within/i.test(message)) return 'it does not respond in time';
  if (/terminated|closed|ended/i.test(message)) return 'the connection was closed';
  return code || name;
}

/** The SQLSTATE, or the code of the socket or of TLS; empty if there is none. */
export const codeOf = (error: unknown): string => describe(error).code;

/** The innermost error: TypeORM wraps that of the driver, and a name with several addresses causes one for each. */
function describe(error: unknown): {
  code: string;
  message: string;
  name: string;
  severity: string | undefined;
  cert: Record<string, unknown> | undefined;
} {
  const { driverError, cause, errors, severity, message, code, name, cert } = error as Record<
    string,
    unknown
  >;
  const nested = driverError ?? cause ?? (Array.isArray(errors) ? (errors as unknown[])[0] : undefined);
  if (severity === undefined && typeof nested === 'object' && nested !== null) return describe(nested);
  return {
    code: typeof code === 'string' ? code : '',
    message: typeof message === 'string' ? message : '',
    name: typeof name === 'string' ? name : 'an unknown error',
    severity: typeof severity === 'string' ? severity : undefined,
    cert: cert as Record<string, unknown> | undefined,
  };
}
