import { type Scope } from '../../api/session';

interface ScopeWords {
  readonly scope: Scope;
  /** For lists. */
  readonly label: string;
  /** For somebody who decides whether a key should have it. */
  readonly opens: string;
}

/** In the order of the form: from reading to what changes most. */
export const scopeWords: readonly ScopeWords[] = [
  {
    scope: 'tenants:read',
    label: 'read tenants',
    opens: 'Lists tenants with their names, contacts and policies.',
  },
  {
    scope: 'credentials:read',
    label: 'read credentials',
    opens:
      'Lists credentials as masks with their status, and says which key a call would use. Never shows a key.',
  },
  {
    scope: 'usage:read',
    label: 'read usage',
    opens: 'Reads usage reports, usage records, receipts and metrics.',
  },
  {
    scope: 'audit:read',
    label: 'read the audit',
    opens: 'Reads who changed what, and verifies that the record is complete.',
  },
  {
    scope: 'readiness:read',
    label: 'read readiness',
    opens:
      'Reads which tenants cannot call which models, the processes, and which encryption keys are in use.',
  },
  {
    scope: 'tenants:write',
    label: 'change tenants',
    opens: 'Creates, changes, suspends and deletes tenants, with everything that they own.',
  },
  {
    scope: 'credentials:write',
    label: 'change credentials',
    opens: 'Sets, stages, verifies, promotes, rolls back and deletes credentials.',
  },
  {
    scope: 'keys:write',
    label: 'manage tenant keys',
    opens: 'Lists, creates, changes and revokes the keys with which the applications of tenants call models.',
  },
  {
    scope: 'encryption:rotate',
    label: 'rotate the encryption key',
    opens: 'Shows the encryption keys in use, and seals everything again under the current one.',
  },
];

/** What a colleague needs who looks at everything and changes nothing. */
export const readScopes: readonly Scope[] = scopeWords
  .map(({ scope }) => scope)
  .filter((scope) => scope.endsWith(':read'));

const list = new Intl.ListFormat('en-GB');
const labels = new Map(scopeWords.map(({ scope, label }) => [scope, label]));

/** Such as "read tenants, read usage and change credentials". */
export function inWords(scopes: readonly Scope[]): string {
  if (scopes.length === scopeWords.length) return 'everything but managing sysadmin keys';
  return list.format(scopeWords.filter(({ scope }) => scopes.includes(scope)).map(({ label }) => label));
}

export function labelOf(scope: Scope): string {
  return labels.get(scope) ?? scope;
}
