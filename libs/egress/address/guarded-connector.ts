import { lookup } from 'node:dns';
import { isIPv6, type LookupFunction } from 'node:net';
import { type Connect, socketConnector } from '../connection/connection';
import type { AddressPolicy } from './address-policy';

/** The address is not allowed. The connector fails with this error before any byte is sent. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  constructor(readonly reason: string) {
    super(`the address is ${reason}`);
  }
}

/**
 * Checks every address that a name resolves to, and connects only to those that the policy allows. The checked address is
 * the one that is used, so a name that resolves differently a moment later (DNS rebinding) gains nothing.
 */
export function guardedConnector(policy: AddressPolicy, connectMs: number): Connect {
  const connectors = new Map<number, Connect>();
  return (options, callback) => {
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    // There is no lookup for a literal address, so it is checked here.
    const host = isIPv6(options.hostname) ? `[${options.hostname}]` : options.hostname;
    const reason = policy.checkHost(new URL(`${options.protocol}//${host}:${port}`));
    if (reason !== undefined) return void callback(new AddressRefused(reason), null);
    let connect = connectors.get(port);
    if (connect === undefined) {
      connect = socketConnector({ timeout: connectMs, lookup: guardedLookup(policy, port) });
      connectors.set(port, connect);
    }
    return connect(options, callback);
  };
}

function guardedLookup(policy: AddressPolicy, port: number): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const reasons = addresses.map(({ address }) => policy.checkAddress(address, port, hostname));
      const allowed = addresses.filter((_, index) => reasons[index] === undefined);
      const [first] = allowed;
      if (first === undefined) {
        return callback(new AddressRefused(reasons.find((reason) => reason !== undefined) ?? 'unknown'), '');
      }
      if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}
