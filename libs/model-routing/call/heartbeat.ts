import { type Heartbeat } from '#egress';
import { type Operation } from '#providers';

const comment = Buffer.from(': ping\n\n');
const ping = Buffer.from('event: ping\ndata: {"type": "ping"}\n\n');

/** The heartbeat of a stream in the format of the client's operation; undefined for 0 seconds. */
export function heartbeatOf(operation: Operation, seconds: number): Heartbeat | undefined {
  if (seconds === 0) return undefined;
  return { ms: seconds * 1000, event: operation === 'messages' ? ping : comment };
}
