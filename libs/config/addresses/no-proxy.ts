import ipaddr from 'ipaddr.js';
import { type AllowRule } from './allow-list';
import { type AddressRange, isHostName, isInRange, plainHost } from './metadata-addresses';

/** The name of a rule for every host. */
const EVERY_HOST = '*';

/**
 * Reads NO_PROXY, whose entries are separated by commas or blanks: `host.name` (which includes its subdomains), `.host.name`,
 * `*.host.name`, an address or a CIDR range, each optionally with a port (`[::1]:8000`), or `*` for every host.
 * @returns the rules, and the positions (from 1) of the entries that have no meaning
 */
export function parseNoProxy(text: string): { rules: AllowRule[]; unknown: number[] } {
  const rules: AllowRule[] = [];
  const unknown: number[] = [];
  const entries = text.split(/[,\s]+/).filter((entry) => entry !== '');
  for (const [index, entry] of entries.entries()) {
    const rule = ruleOf(entry.toLowerCase());
    if (rule === undefined) unknown.push(index + 1);
    else rules.push(rule);
  }
  return { rules, unknown };
}

/** @param host as `plainHost` returns it */
export function isExempt(rules: readonly AllowRule[], host: string, port: number): boolean {
  const address = ipaddr.isValid(host) ? ipaddr.process(host) : undefined;
  return rules.some((rule) => {
    if (rule.port !== undefined && rule.port !== port) return false;
    if ('range' in rule) return address !== undefined && isInRange(address, rule.range);
    return rule.name === EVERY_HOST || host === rule.name || host.endsWith(`.${rule.name}`);
  });
}

function ruleOf(entry: string): AllowRule | undefined {
  if (entry === EVERY_HOST) return { name: EVERY_HOST, port: undefined };
  // An IPv6 address without brackets has no port.
  const isBareIPv6 = /:.*:/.test(entry) && !entry.startsWith('[');
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(entry);
  if (match === null && !isBareIPv6) return undefined;
  const host = isBareIPv6 ? entry : (match?.[1] ?? match?.[2] ?? '');
  const port = isBareIPv6 || match?.[3] === undefined ? undefined : Number(match[3]);
  const range = rangeOf(host);
  if (range !== undefined) return { range, port };
  const name = plainHost(host.replace(/^\*?\./, ''));
  return isHostName(name) ? { name, port } : undefined;
}

function rangeOf(text: string): AddressRange | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)) {
    const address = ipaddr.process(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  }
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text) && !ipaddr.IPv6.isValidCIDR(text)) return undefined;
  return ipaddr.parseCIDR(text);
}
