import { type Config } from '#config';

export const modes = ['strict', 'single-tenant'] as const;
export type Mode = (typeof modes)[number];

/** The mode that a configuration puts in force. */
export function modeOf({ tenantCredentialsEnabled }: Config): Mode {
  return tenantCredentialsEnabled ? 'strict' : 'single-tenant';
}
