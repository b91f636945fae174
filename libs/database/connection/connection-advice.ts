import { type AddressNames, codeOf, isTlsFault, tlsFaultOf } from './connection-fault';

/** Where the address of a database was set. `DATABASE_HOST` means all the settings that replace `DATABASE_URL`. */
export type AddressSource = 'DATABASE_URL' | 'DATABASE_DIRECT_URL' | 'DATABASE_HOST' | 'the URL';

export function addressNames(source: AddressSource): AddressNames {
  if (source === 'DATABASE_HOST') {
    return {
      host: 'DATABASE_HOST',
      hostAndPort: 'DATABASE_HOST and DATABASE_PORT',
      database: 'DATABASE_NAME',
      login: 'DATABASE_USER and DATABASE_PASSWORD',
      inParameters: 'in DATABASE_PARAMETERS',
    };
  }
  return {
    host: `the host in ${source}`,
    hostAndPort: `the host and port in ${source}`,
    database: `its name in ${source}`,
    login: `the user and password in ${source} (percent-encode special characters: @ is %40),`,
    inParameters: `in ${source}`,
  };
}

/** How to correct what an attempt to connect has failed with. */
export function connectionAdvice(error: unknown, source: AddressSource): string {
  const names = addressNames(source);
  const tlsFault = tlsFaultOf(error);
  if (tlsFault !== undefined) return tlsFault.fix(names);
  const code = codeOf(error);
  if (code === '3D000') return `Create the database, or correct ${names.database}.`;
  if (isLogin(code)) return `Check ${names.login} and pg_hba.conf on the server.`;
  if (/^\d/.test(code)) return 'The server was reached: correct what it says, and try again.';
  return `Check that the server runs, that ${names.hostAndPort} are right, and that no firewall blocks the connection.`;
}

/** Whether the server was reached and refuses the TLS, the login or the database. */
export function isConnectionRefused(error: unknown): boolean {
  const code = codeOf(error);
  return isTlsFault(error) || isLogin(code) || code === '3D000';
}

const isLogin = (code: string) => code.startsWith('28');
