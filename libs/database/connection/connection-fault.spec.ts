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
