const notTls = 'it does not speak TLS. If it is meant to be http, write http:// in the address';
const unknownCa =
  "its certificate is signed by a CA that is not known here. Set NODE_EXTRA_CA_CERTS to the file with the CA's certificate";
const noWay =
  'no connection could be made in time. Check the address, and the firewall between here and there';
const unknownHost = 'its host name cannot be resolved. Check the address in --url or TENKEY_URL';
const broken =
  'the connection broke. If the address is right, try again; if it speaks TLS, write https:// in the address';

/** What the codes of Node and of undici mean, with the fix. */
const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there. Start Tenkey, or give the right address with --url or TENKEY_URL',
  ENOTFOUND: unknownHost,
  EAI_AGAIN: unknownHost,
  ETIMEDOUT: noWay,
  UND_ERR_CONNECT_TIMEOUT: noWay,
  EHOSTUNREACH: noWay,
  ENETUNREACH: noWay,
  ECONNRESET: broken,
  EPIPE: broken,
  UND_ERR_SOCKET: broken,
  EPROTO: notTls,
  ERR_SSL_WRONG_VERSION_NUMBER: notTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownCa,
  SELF_SIGNED_CERT_IN_CHAIN: unknownCa,
  UNABLE_TO_GET_ISSUER_CERT: unknownCa,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownCa,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownCa,
  CERT_HAS_EXPIRED: 'its certificate has expired. Renew it',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet. Check the clock of this machine',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'its certificate is for another host name. Use the name in the certificate in --url or TENKEY_URL',
};

/** Nothing was sent when one of these happens, so that nothing can have been changed. */
const beforeSending = new Set(
  Object.entries(sentences).flatMap(([code, sentence]) => (sentence === broken ? [] : [code])),
);

export interface ConnectionFault {
  readonly sentence: string;
  /** True when Tenkey may have received the request. */
  readonly mayBeSent: boolean;
}

/** Why fetch failed. Its own message says nothing; the cause has a code. */
export function connectionFaultOf(error: unknown): ConnectionFault {
  const { cause } = error as { cause?: NodeJS.ErrnoException };
  const code = cause?.code ?? '';
  const isHttp = !code.startsWith('HPE_');
  if (cause?.message === 'bad port') {
    return { sentence: 'this port belongs to another protocol. Check the address', mayBeSent: false };
  }
  const sentence = isHttp ? sentences[code] : 'what listens there does not speak HTTP. Check the address';
  return {
    sentence: sentence ?? `the connection failed${code === '' ? '' : ` (${code})`}`,
    // A connection that was open may also time out.
    mayBeSent: !beforeSending.has(code) || cause?.syscall === 'read' || cause?.syscall === 'write',
  };
}
