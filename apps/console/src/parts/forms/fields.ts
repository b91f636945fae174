import { RequestFailed } from '../../api/problem';

/** What the API says about each field of a form, by the name of the field. */
export function fieldErrors(error: unknown): Readonly<Record<string, string>> {
  const errors = error instanceof RequestFailed ? (error.problem?.errors ?? []) : [];
  return Object.fromEntries(errors.map(({ path, message }) => [path.split('.')[0] ?? '', message]));
}

/** The text of a field as the API expects it: null instead of an empty one. */
export function textOrNull(text: string): string | null {
  return text.trim() === '' ? null : text.trim();
}
