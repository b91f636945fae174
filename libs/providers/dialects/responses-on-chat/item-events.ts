import { type Json } from '../translation';

export type Status = 'completed' | 'incomplete';

export function added(index: number, item: Json): Json {
  return { type: 'response.output_item.added', output_index: index, item };
}

export function done(index: number, item: Json): Json {
  return { type: 'response.output_item.done', output_index: index, item };
}
