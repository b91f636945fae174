import { lookup } from 'node:dns';
import { type LookupFunction } from 'node:net';
import { type EgressProxies, portOf } from '#config';
import { type Connect, socketConnector } from '../connection/connection';
import { throughProxies } from '../connection/proxy-tunnel';
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
 * the one that is used, so a name that resolves differently a moment later (DNS rebinding) gains nothing. A proxy resolves names
 * itself, so only the host is checked before a connection through it.
 * @param ofTenant the exceptions of the tenants that use these connections
 */
export function guardedConnector(
  policy: AddressPolicy,
  connectMs: number,
  proxies: EgressProxies | undefined,
  ofTenant: readonly string[] | undefined,
): Connect {
  const connect = throughProxies(proxies, resolvingConnector(policy, connectMs, ofTenant), connectMs);
  return (options, callback) => {
    // There is no lookup for a literal address, so it is checked here.
    const reason = policy.checkHost(options, ofTenant);
    if (reason !== undefined) return void callback(new AddressRefused(reason), null);
    return connect(options, callback);
  };
}

function resolvingConnector(
  policy: AddressPolicy,
  connectMs: number,
  ofTenant: readonly string[] | undefined,
): Connect {
  const connectors = new Map<number, Connect>();
  return (options, callback) => {
    const port = portOf(options);
    let connect = connectors.get(port);
    if (connect === undefined) {
      connect = socketConnector({ timeout: connectMs, lookup: guardedLookup(policy, port, ofTenant) });
      connectors.set(port, connect);
    }
    return connect(options, callback);
  };
}

function guardedLookup(
  policy: AddressPolicy,
  port: number,
  ofTenant: readonly string[] | undefined,
): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const reasons = addresses.map(({ address }) => policy.checkAddress(address, port, hostname, ofTenant));
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
