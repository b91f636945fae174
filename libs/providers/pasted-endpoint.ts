import { operations, type Provider } from './provider';

/** A pasted URL, cut to the base URL that an endpoint is. */
export interface PastedEndpoint {
  readonly endpoint: string;
  /** What the URL says about other fields of the credential: field -> value. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Without user name, fragment and the characters that `faultOfEndpoint` refuses. */
const urlForm = /^https?:\/\/[^/?#@\\\s\p{Cc}\p{Cs}]+(?:[/?][^#\\\s\p{Cc}\p{Cs}]*)?$/iu;

const operationPath = new RegExp(`/(${[...operations].sort((a, b) => b.length - a.length).join('|')})$`);

/**
 * Cuts an address as people paste it, such as `https://host/v1/chat/completions` or `https://host//v1/`, to the base URL: consoles
 * and examples show the address of a request.
 * @param provider knows more about its own addresses; absent: any server of OpenAI's format
 * @returns undefined when there is nothing to cut, or the text is no URL that could be cut
 */
export function cutEndpoint(
  text: string,
  provider?: Pick<Provider, 'pastedUrl'>,
): PastedEndpoint | undefined {
  if (!urlForm.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const own = provider?.pastedUrl?.(url);
  if (url.search !== '' && own === undefined) return undefined;
  const path = (own?.path ?? url.pathname).replaceAll(/\/{2,}/g, '/').replace(/\/$/, '');
  const base = path.replace(operationPath, '').replace(/(\/v\d+)\/models$/, '$1');
  if (own === undefined && base === url.pathname.replace(/\/$/, '')) return undefined;
  return { endpoint: url.origin + base, fields: own?.fields ?? {} };
}

/** The fields for which the pasted URL says something else than the credential. */
export function contradictingFields(
  pasted: PastedEndpoint | undefined,
  credential: Readonly<Record<string, unknown>>,
): string[] {
  return Object.entries(pasted?.fields ?? {}).flatMap(([field, value]) => {
    const given = credential[field];
    const isSame = typeof given !== 'string' || given.trim() === value;
    // The URL of any of the credential's deployments is that of its resource.
    const { deployments } = credential;
    const isMapped =
      field === 'deployment_name' &&
      typeof deployments === 'object' &&
      deployments !== null &&
      Object.values(deployments).includes(value);
    return isSame || isMapped ? [] : [field];
  });
}
