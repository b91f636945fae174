/** The parts of a base64 data URL (RFC 2397); undefined for any other text. Parameters of the media type are left out. */
export function parseDataUrl(url: string): { mediaType: string; base64: string } | undefined {
  const comma = url.indexOf(',');
  // The text before the comma is all that a pattern sees: the rest may be megabytes.
  const head = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w.+-]+=[^;,]*)*;base64$/i.exec(
    url.slice(0, Math.min(comma, 256)),
  );
  if (comma === -1 || head?.[1] === undefined) return undefined;
  return { mediaType: head[1].toLowerCase(), base64: url.slice(comma + 1) };
}

export function dataUrl(mediaType: string, base64: string): string {
  return `data:${mediaType};base64,${base64}`;
}
