/**
 * Sends requests to providers; the only code that opens an outgoing socket.
 *
 * Guarantees: The key goes only to the host of its own route, and only in headers. A tenant's endpoint is checked by host,
 * and again by the address that the connection uses, unless a proxy resolves the name. No redirect is followed. A call is
 * retried only if the provider cannot have worked on it, and always with the same key. Only the response headers on an
 * allow-list are passed on. An upstream error becomes a Problem that contains no key. When the client disconnects, the upstream
 * connection is closed, and no other one is opened for it. Calls to a host that has not responded several times in a row are
 * refused at once, for each tenant by itself.
 *
 * Does not: choose the key (the route names it), translate bodies, or let a proxy see more than where a connection goes.
 */
export {
  AddressPolicy,
  type AddressPolicyOptions,
  faultOfTenantRules,
  isPrivate,
  whatAllows,
} from './address/address-policy';
export { EgressModule } from './egress.module';
export { type EgressOptions, EgressService } from './egress.service';
export type { RequestBody, SendOptions } from './egress.service';
export { eachEvent, fieldsOfEvent, isEventStream } from './stream/events';
export { type ProbeOutcome, probeOutcomes, type ProbeResult, probeResult } from './response/probe-result';
export { adapterNames, credentialSources } from './route';
export type { AdapterName, CredentialSource, Destination, Route, RouteCredential } from './route';
export { type Cancellation, ClientDisconnected, SignalCancellation } from './cancellation';
export { type BodySink, type BodySource, ReadableBody } from './stream/body-sink';
export { ErrorEvents } from './stream/error-events';
export { EndOfAnswer } from './stream/end-of-answer';
export { EndOfEvents, EventRelay, type EventStage, type Heartbeat } from './stream/event-relay';
export { refuseTooManyValues, type ResponseMemory, WholeBody } from './stream/whole-body';
export type { UpstreamReceiver, UpstreamResponse, WireEvents } from './response/upstream-response';
export { findAddressProblem } from './response/connection-problem';
