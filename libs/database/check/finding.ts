/** Something that a check of an installation found. */
export interface Finding {
  readonly severity: 'fault' | 'warning';
  /** What is wrong, as one sentence without secrets. */
  readonly text: string;
  /** A command, a statement or a setting. */
  readonly fix: string;
}

export const fault = (text: string, fix: string): Finding => ({ severity: 'fault', text, fix });
export const warning = (text: string, fix: string): Finding => ({ severity: 'warning', text, fix });
