import { type Json, UnsupportedParameter } from './translation';

/**
 * Reading a client's JSON. What has the wrong type is refused by its path in the client's spelling
 * (`messages[3].content[1]`), and never by its value.
 */

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** JSON's null means the same as the field's absence in both formats. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

export function objectAt(path: string, value: unknown): Json {
  if (isObject(value)) return value;
  throw new UnsupportedParameter(path, `${path} must be an object.`);
}

export function listAt(path: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new UnsupportedParameter(path, `${path} must be a list.`);
}

export function textAt(path: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new UnsupportedParameter(path, `${path} must be text.`);
}

export function booleanAt(path: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new UnsupportedParameter(path, `${path} must be true or false.`);
}

export function wholeNumberAt(path: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw new UnsupportedParameter(path, `${path} must be a whole number from 1.`);
}

export function numberAt(path: string, value: unknown, from: number, to: number): number {
  if (typeof value === 'number' && value >= from && value <= to) return value;
  throw new UnsupportedParameter(path, `${path} must be a number from ${from} to ${to}.`);
}

/** A name that a client made up, fit for a path or a header: short, and without what neither can hold. */
export function spelled(name: string): string {
  return name.slice(0, 64).replaceAll(/[^\w.[\]-]/g, '_');
}

/** JSON.parse reads any depth, JSON.stringify throws a RangeError from some thousands on. */
const deepest = 500;

/** True for what may not be written as JSON again. */
export function isTooDeep(value: unknown): boolean {
  const waiting: [unknown, number][] = [[value, 0]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [item, depth] = next;
    if (typeof item !== 'object' || item === null) continue;
    if (depth === deepest) return true;
    // A list may hold millions of numbers, and none of them is deep.
    for (const inner of Object.values(item as Record<string, unknown>)) {
      if (typeof inner === 'object' && inner !== null) waiting.push([inner, depth + 1]);
    }
  }
  return false;
}

/** @returns the object that a JSON text says; undefined when it says anything else, or is too deep */
export function parsedObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && !isTooDeep(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
