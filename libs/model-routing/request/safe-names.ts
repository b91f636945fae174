import { removeKeyShapes } from '#crypto';

const MOST_NAMES = 50;
const LONGEST_NAME = 64;

/** Makes names from the client safe for headers, errors and logs. */
export function safeNames(names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const safe = names.map((name) =>
    removeKeyShapes(name)
      .slice(0, LONGEST_NAME)
      .replace(/[^\w.[\]-]/g, '_'),
  );
  return [...new Set(safe)].slice(0, MOST_NAMES);
}
