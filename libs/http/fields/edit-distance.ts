/** True when one edit makes b of a: a character added, removed or replaced, or two neighbours swapped. */
function isOneEdit(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  if (left.length <= 1 && right.length <= 1) return true;
  return left.length === 2 && right === `${left[1]}${left[0]}`;
}

/** True when a name is not a known one but probably meant to be: one edit, another case, or words joined in another way. */
export function isTypoOf(known: string, name: string): boolean {
  const [plainKnown, plainName] = [joined(known), joined(name)];
  // One edit turns any name of one letter into a name of two letters, which says nothing.
  return plainName === plainKnown || (plainKnown.length > 2 && isOneEdit(plainName, plainKnown));
}

function joined(name: string): string {
  return name.toLowerCase().replace(/[-_ .]/g, '');
}
