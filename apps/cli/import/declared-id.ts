import { takenVariableOf } from '#config';
import { declarableKinds, declaredProvider, faultOfProviderId, isTakenId } from '#providers';

/** Longer names are cut before anything else: no id has as many characters. */
const LONGEST = 200;

/**
 * Makes the id of a provider that a catalogue is to declare from any name: in lower case, with `_` in place of everything but
 * letters and digits, and with a number if the id is taken.
 * @param taken the ids that the catalogue declares already
 */
export function declaredIdOf(name: string, taken: Iterable<string>): string {
  // Ids that differ only in `-` and `_` would have the same variables.
  const used = new Set([...taken].map((id) => id.replaceAll('-', '_')));
  const text = name
    .slice(0, LONGEST)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '');
  const base = /^[a-z]/.test(text) ? text : `provider_${text}`.replace(/_$/, '');
  for (let number = 1; ; number += 1) {
    const id = longestId(base, number === 1 ? '' : `_${number}`);
    if (!used.has(id) && !isTakenId(id) && hasFreeVariables(id)) return id;
  }
}

/** As much of the text as an id may have before the suffix. */
function longestId(text: string, suffix: string): string {
  let length = text.length;
  while (faultOfProviderId(text.slice(0, length) + suffix) !== undefined && length > 1) length -= 1;
  return text.slice(0, length) + suffix;
}

function hasFreeVariables(id: string): boolean {
  return declarableKinds.every(
    (kind) => takenVariableOf(declaredProvider({ id, kind, label: id }), new Set()) === undefined,
  );
}
