import { strict as assert } from 'node:assert';
import { maskOf } from '#crypto';

/** Secrets, which must never be printed whole. */
const secrets: string[] = [];
let stopSignal: string | undefined;

export function write(text: string): void {
  if (stopSignal !== undefined) throw new Error(`stopped by ${stopSignal}`);
  assert.ok(!holdsSecret(text), 'a line would have shown a whole key');
  process.stdout.write(text);
}

/** Makes the next line throw, so that everything is cleaned up. */
export function stopAtSignal(signal: string): void {
  stopSignal = signal;
}

export function secret(text: string): string {
  secrets.push(text);
  return text;
}

export const holdsSecret = (text: string) => secrets.some((each) => text.includes(each));

export const say = (text = '') => write(`${text}\n`);
export const step = (text: string) => say(`\n== ${text}`);

export function complain(fault: unknown): void {
  const text = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
  const safe = secrets.reduce((cleaned, each) => cleaned.replaceAll(each, maskOf(each)), text);
  process.stderr.write(`The demo failed: ${safe}\n`);
}
