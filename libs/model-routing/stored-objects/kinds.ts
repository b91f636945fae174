import { createHash } from 'node:crypto';

/** The kinds of stored objects. Ids of the kinds that no response of Tenkey hands out are never known. */
export const objectKinds = [
  'response',
  'item',
  /** An item in a list of the input of a response. The client may have chosen its id, so it says only where a page of the list begins. */
  'listed_item',
  'conversation',
  'container',
  'file',
  'audio',
  'vector_store',
  'prompt',
  'skill',
  'voice',
  'cache',
  'tunnel',
] as const;
export type ObjectKind = (typeof objectKinds)[number];

/** A stored object that a request names or a response makes. */
export interface ObjectId {
  readonly kind: ObjectKind;
  readonly id: string;
}

/** Only the SHA-256 of an id is stored, so that nobody can use the ids in the table. Providers make them of 100 random bits or more. */
export function hashOf(id: string): Buffer {
  return createHash('sha256').update(id).digest();
}
