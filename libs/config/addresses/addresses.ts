import ipaddr from 'ipaddr.js';

/** The port of an http or https address, which a URL leaves out when it is the usual one. */
export function portOf({ protocol, port }: { readonly protocol: string; readonly port: string }): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** True for an IP address: four decimal numbers, or IPv6. One with a zone is refused, because a zone can be any text. */
export function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || (ipaddr.IPv6.isValid(text) && !text.includes('%'));
}

/** True for an address or a CIDR range, except a range of all addresses and a range of IPv4 addresses written as IPv6. */
export function isAddressOrRange(text: string): boolean {
  if (isAddress(text)) return true;
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text) && !ipaddr.IPv6.isValidCIDR(text)) return false;
  const [address, bits] = ipaddr.parseCIDR(text);
  return bits > 0 && address.range() !== 'ipv4Mapped' && !text.includes('%');
}

/**
 * True for an address that is one of these or in one of these ranges; its zone does not matter. An IPv4 address written as
 * IPv6, as a dual-stack socket reports it, counts as the IPv4 address.
 */
export function isAmong(text: string, addressesAndRanges: readonly string[]): boolean {
  if (addressesAndRanges.length === 0) return false;
  const [plain = ''] = text.split('%');
  if (!isAddress(plain)) return false;
  const address = ipaddr.process(plain);
  return addressesAndRanges.some((each) => {
    if (!each.includes('/')) return ipaddr.process(each).toString() === address.toString();
    const [of, bits] = ipaddr.parseCIDR(each);
    return of.kind() === address.kind() && address.match(of, bits);
  });
}

/** The network that one client can choose its addresses from: of an IPv6 address its /64, of an IPv4 address only itself. */
export function networkOf(text: string | undefined): string {
  if (text === undefined || !text.includes(':')) return text ?? 'unknown';
  const [plain = ''] = text.split('%');
  if (!isAddress(plain)) return text;
  const address = ipaddr.process(plain);
  return address.kind() === 'ipv4'
    ? address.toString()
    : `${ipaddr.IPv6.networkAddressFromCIDR(`${plain}/64`).toString()}/64`;
}
