import { ExactNumber, parseExactly, parseJson } from './json/json-numbers';
import { type Json, UnsupportedParameter } from './translation';

// The require functions check a value of the client's JSON. They throw UnsupportedParameter with the path of the value
// (`messages[3].content[1]`), and never repeat the value.

export function isObject(value: unknown): value is Json {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
  );
}

export function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** The empty string for anything but a text. */
export function textOrEmpty(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** In both formats, null means the same as an absent field. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

export function requireObject(path: string, value: unknown): Json {
  if (isObject(value)) return value;
  throw new UnsupportedParameter(path, `${path} must be an object.`);
}

export function requireList(path: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new UnsupportedParameter(path, `${path} must be a list.`);
}

export function requireText(path: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new UnsupportedParameter(path, `${path} must be a string.`);
}

export function requireBoolean(path: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new UnsupportedParameter(path, `${path} must be true or false.`);
}

export function requireWholeNumber(path: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw new UnsupportedParameter(path, `${path} must be a whole number of at least 1.`);
}

export function requireNumber(path: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new UnsupportedParameter(path, `${path} must be a number from ${least} to ${most}.`);
}

/** Shortens a name from the client and replaces characters that a path or a header must not contain. */
export function safeName(name: string): string {
  return name.slice(0, 64).replaceAll(/[^\w.[\]-]/g, '_');
}

/** JSON.parse reads any depth, but JSON.stringify throws a RangeError at a depth of some thousands. */
const maximumDepth = 500;

/** True if JSON.stringify may fail because of the depth. */
export function isTooDeep(value: unknown): boolean {
  const waiting: [unknown, number][] = [[value, 0]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [item, depth] = next;
    if (typeof item !== 'object' || item === null) continue;
    if (depth === maximumDepth) return true;
    // Only objects and lists are pushed, because a list may contain millions of numbers.
    for (const inner of Object.values(item as Record<string, unknown>)) {
      if (typeof inner === 'object' && inner !== null) waiting.push([inner, depth + 1]);
    }
  }
  return false;
}

/** @returns the object in a JSON text; undefined when the text is anything else, or too deep */
export function parsedObject(text: string): Json | undefined {
  return objectIn(text, parseJson);
}

/** The same for the arguments of a tool call, whose numbers keep their digits. */
export function parsedArguments(text: string): Json | undefined {
  return objectIn(text, parseExactly);
}

function objectIn(text: string, parse: (text: string) => unknown): Json | undefined {
  try {
    const value = parse(text);
    return isObject(value) && !isTooDeep(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
