/** A line of CSV (RFC 4180). */
export function csvLine(values: readonly unknown[]): string {
  return `${values.map((value) => csvCell(value)).join(',')}\r\n`;
}

/** Puts an apostrophe before a text that a spreadsheet would read as a formula. */
function csvCell(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value.replace(/^[=+\-@\t\r]/, "'$&") : '';
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
