import { lookup } from 'node:dns';
import { isIPv6, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import type { AddressPolicy } from './address-policy';

/** The address a name resolved to is not allowed; thrown inside the connector, before any byte is sent. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  constructor(readonly reason: string) {
    super(`the address is ${reason}`);
  }
}

/**
 * A connector that asks the policy about every address a name resolves to and connects to those that pass: the address
 * checked is the address used, so a name that resolves differently the next moment gains nothing.
 */
export function guardedConnector(policy: AddressPolicy, connectMs: number): buildConnector.connector {
  const connectors = new Map<number, buildConnector.connector>();
  return (options, callback) => {
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    // A literal address is never looked up, so it is checked here.
    const host = isIPv6(options.hostname) ? `[${options.hostname}]` : options.hostname;
    const reason = policy.checkHost(new URL(`${options.protocol}//${host}:${port}`));
    if (reason !== undefined) return callback(new AddressRefused(reason), null);
    let connect = connectors.get(port);
    if (connect === undefined) {
      connect = buildConnector({
        timeout: connectMs,
        lookup: guardedLookup(policy, port),
      });
      connectors.set(port, connect);
    }
    connect(options, callback);
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
