/**
 * The only code that opens an outgoing socket.
 *
 * Guarantees: the key goes only to the host of its own route, and only in headers; a tenant's endpoint is checked by
 * host and again by the address actually connected to, which is pinned; no redirect is followed; a call is
 * tried again only when the provider cannot have worked on it, and with the same key; upstream headers pass by allow-list; upstream errors become Problems that hold no key. A caller that leaves closes
 * the upstream connection.
 *
 * It does not choose whose key to use (the route says it), translate bodies, or follow proxy variables.
 * Address ranges: the IANA special-purpose registries. Events: WHATWG HTML, section 9.2.
 */
export { AddressPolicy, type AddressPolicyOptions } from './address/address-policy';
export { EgressModule } from './egress.module';
export { type EgressOptions, EgressService } from './egress.service';
export type { RequestBody, SendOptions, UpstreamResponse } from './egress.service';
export { dataOf, eachEvent, EventEnds, isEventStream, LONGEST_HELD_EVENT } from './stream/event-stream';
export { type ProbeOutcome, probeOutcomes, type ProbeResult, resultOf } from './response/probe-result';
export type { CredentialSource, Destination, Route, RouteCredential } from './route';
export { SseRelay } from './stream/sse-relay';
export type { WireEvents } from './response/upstream-answer';
export { ClientGone, refusedAddress } from './response/upstream-problem';
