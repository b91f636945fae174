import ipaddr from 'ipaddr.js';
import {
  type AddressRange,
  isHostName,
  isMetadataAddress,
  isMetadataName,
  plainHost,
} from './metadata-addresses';

/** One exception of EGRESS_ALLOW: a name or an address range, on one port or (`undefined`) on all. */
export type AllowRule = ({ readonly name: string } | { readonly range: AddressRange }) & {
  readonly port: number | undefined;
};

export const ruleForm =
  '`address:port`, `address/bits:port`, `[IPv6 address]:port` or `name:port`, where port may be `*`.';

/**
 * Reads `127.0.0.1:8000,10.0.0.0/8:*,[::1]:8000,host.name:443`.
 * @param refuse is called with what is wrong and the position of the faulty entry (from 1), never with its text, which may
 * be anything that was pasted into the wrong line
 */
export function parseAllowList(text: string, refuse: (reason: string) => void): AllowRule[] {
  if (text.trim() === '') return [];
  return text.split(',').flatMap((entry, index) => {
    const rule = parseRule(entry.trim());
    if (typeof rule !== 'string') return rule;
    refuse(`entry ${index + 1} ${rule}`);
    return [];
  });
}

/** @returns the rule, or what is wrong with the entry */
function parseRule(entry: string): AllowRule | string {
  const match = /^(?:\[([^\]]+)\](\/\d+)?|([^:[\]\s]+)):(\*|\d{1,5})$/.exec(entry);
  if (match === null) return `must be ${ruleForm}`;
  const host = (match[1] === undefined ? match[3]! : match[1] + (match[2] ?? '')).toLowerCase();
  const port = match[4] === '*' ? undefined : Number(match[4]);
  if (port !== undefined && (port < 1 || port > 65_535)) return 'has a port outside 1 to 65535.';
  const [text = '', bits, more] = host.split('/');
  const isIPv6 = match[1] !== undefined;
  if (isIPv6 ? ipaddr.IPv6.isValid(text) : ipaddr.IPv4.isValidFourPartDecimal(text)) {
    const address = ipaddr.parse(text);
    const size = isIPv6 ? 128 : 32;
    const length = bits === undefined ? size : /^\d+$/.test(bits) ? Number(bits) : NaN;
    if (more !== undefined || !(length <= size)) return `has a prefix length outside 0 to ${size}.`;
    if (length === size && isMetadataAddress(address))
      return 'is a metadata address, which is never allowed.';
    return { range: [address, length], port };
  }
  const name = plainHost(host);
  if (isMetadataName(name)) return 'is a metadata name, which is never allowed.';
  return isIPv6 || !isHostName(name) ? `must be ${ruleForm}` : { name, port };
}
