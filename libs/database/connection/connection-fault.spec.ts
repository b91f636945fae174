import { connectionAdvice, isConnectionRefused } from './connection-advice';
import { reasonOf } from './connection-fault';
import { connectionOptions } from './connection-options';

test('the reason of a connection that cannot even be tried is what has to be corrected', () => {
  const open = () =>
    connectionOptions('postgresql://me:hunter2@db/tenkey?sslmode=verify-ca&sslrootcert=/gone');
  let fault: unknown;
  try {
    open();
  } catch (error) {
    fault = error;
  }
  expect(reasonOf(fault)).toBe(
    'The file of sslrootcert in the address of the database cannot be read (ENOENT). Set sslrootcert to the path of a PEM file',
  );
});

const errorOf = (code: string) => Object.assign(new Error('it failed'), { code });

test('the advice names the settings that have the address, and nothing to do there that is done elsewhere', () => {
  const of = (code: string, source: Parameters<typeof connectionAdvice>[1]) =>
    connectionAdvice(errorOf(code), source);
  expect(of('28P01', 'DATABASE_URL')).toMatch(
    /^Check the user and password in DATABASE_URL \(percent-encode/,
  );
  expect(of('28P01', 'DATABASE_HOST')).toBe(
    'Check DATABASE_USER and DATABASE_PASSWORD and pg_hba.conf on the server.',
  );
  expect(of('3D000', 'DATABASE_HOST')).toMatch(/ or correct DATABASE_NAME\.$/);
  expect(of('ECONNREFUSED', 'DATABASE_HOST')).toMatch(/ that DATABASE_HOST and DATABASE_PORT are right/);
  expect(of('53300', 'DATABASE_HOST')).toMatch(/^The server was reached/);
  expect(of('ERR_TLS_CERT_ALTNAME_INVALID', 'DATABASE_HOST')).toBe(
    'Set DATABASE_HOST to a name in the certificate, or set sslmode=verify-ca in DATABASE_PARAMETERS.',
  );
  expect(of('CERT_HAS_EXPIRED', 'DATABASE_URL')).toBe(
    'Renew the certificate of the server. Until then, set sslmode=require and remove sslrootcert in DATABASE_URL, so that it is not checked.',
  );
});

test('a server that refuses the connection is no database that may respond later', () => {
  const refused = ['28P01', '28000', '3D000', 'CERT_HAS_EXPIRED'].filter((code) =>
    isConnectionRefused(errorOf(code)),
  );
  expect(refused).toHaveLength(4);
  const later = ['ECONNREFUSED', '57P03', '53300'].filter((code) => isConnectionRefused(errorOf(code)));
  expect(later).toEqual([]);
});
