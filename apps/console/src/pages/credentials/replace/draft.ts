/** What was typed into the fields that are not secret, so that it is still there after the page is loaded again. */
export type Draft = Readonly<Record<string, string>>;

function nameOf(tenantId: string, provider: string): string {
  return `tenkey draft ${tenantId} ${provider}`;
}

export function readDraft(tenantId: string, provider: string): Draft {
  try {
    return JSON.parse(sessionStorage.getItem(nameOf(tenantId, provider)) ?? '{}') as Draft;
  } catch {
    return {};
  }
}

/** Keeps it for this tab. */
export function keepDraft(tenantId: string, provider: string, draft: Draft): void {
  const safe = Object.entries(draft).filter(([, text]) => !mayBeKey(text));
  sessionStorage.setItem(nameOf(tenantId, provider), JSON.stringify(Object.fromEntries(safe)));
}

export function forgetDraft(tenantId: string, provider: string): void {
  sessionStorage.removeItem(nameOf(tenantId, provider));
}

/** A key may be pasted into the wrong field. A long word without the dots and slashes of an address is not kept. */
function mayBeKey(text: string): boolean {
  return text.split(/[\s=]+/).some((word) => word.length >= 20 && !/^https?:\/\/[^@?#]*$/i.test(word));
}
