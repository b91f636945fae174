import { type ComponentType, lazy } from 'react';
import { type Scope, type Session } from '../api/session';

/** A page of the console. */
interface Page {
  readonly path: string;
  /** In the menu; undefined: other pages lead to it. */
  readonly label?: string;
  /** It is shown to a key with all of these, and of those in a list with one; undefined: to every key. */
  readonly scopes?: readonly (Scope | readonly Scope[])[];
  /** It is shown to the super key only, because no scope opens its routes. */
  readonly superOnly?: boolean;
  /** It is hidden from a key that is limited to tenants, because its routes are about all of them. */
  readonly allTenants?: boolean;
  readonly Page: ComponentType;
}

/** Of both ways to a key: adding the first one, and replacing one. */
const Replace = lazy(() => import('../pages/credentials/replace/replace'));

/** In the order of the menu. Each page is loaded when it is first opened. */
export const pages: readonly Page[] = [
  { path: '/', label: 'Today', Page: lazy(() => import('../pages/today/today')) },
  {
    path: '/tenants',
    label: 'Tenants',
    scopes: ['tenants:read', 'credentials:read'],
    Page: lazy(() => import('../pages/tenants/tenants')),
  },
  {
    path: '/tenants/:tenantId',
    scopes: ['tenants:read'],
    Page: lazy(() => import('../pages/tenant/tenant')),
  },
  ...[
    '/tenants/:tenantId/replace/:provider',
    '/tenants/:tenantId/add/:provider',
    '/tenants/:tenantId/add',
  ].map((path): Page => ({ path, scopes: ['credentials:read', 'credentials:write'], Page: Replace })),
  {
    path: '/usage',
    label: 'Usage',
    scopes: ['usage:read'],
    Page: lazy(() => import('../pages/usage/usage')),
  },
  {
    path: '/calls',
    label: 'Calls',
    scopes: ['usage:read'],
    Page: lazy(() => import('../pages/calls/calls')),
  },
  {
    path: '/models',
    label: 'Models',
    scopes: [['credentials:read', 'readiness:read']],
    Page: lazy(() => import('../pages/models/models')),
  },
  {
    path: '/audit',
    label: 'Audit',
    scopes: ['audit:read'],
    Page: lazy(() => import('../pages/audit/audit')),
  },
  {
    path: '/access',
    label: 'Access',
    superOnly: true,
    Page: lazy(() => import('../pages/access/access')),
  },
  {
    path: '/encryption',
    label: 'Encryption',
    scopes: [['encryption:rotate', 'readiness:read']],
    allTenants: true,
    Page: lazy(() => import('../pages/encryption/encryption')),
  },
];

/** Whether the key of the session opens what the page reads. */
export function isShownTo(session: Session, { scopes = [], superOnly, allTenants }: Page): boolean {
  if (superOnly === true && !session.super) return false;
  if (allTenants === true && session.tenant_ids !== null) return false;
  return scopes.every((each) => [each].flat().some((scope) => session.scopes.includes(scope)));
}
