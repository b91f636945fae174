import { type ComponentType, lazy } from 'react';
import { type Scope } from '../api/session';

/** A page of the console. */
interface Page {
  readonly path: string;
  /** In the menu; undefined: other pages lead to it. */
  readonly label?: string;
  /** It is shown to a key with all of these; undefined: to every key. */
  readonly scopes?: readonly Scope[];
  /** It is shown to a key with at least one of these; undefined: to every key. */
  readonly anyScope?: readonly Scope[];
  readonly Page: ComponentType;
}

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
    path: '/models',
    label: 'Models',
    anyScope: ['credentials:read', 'readiness:read'],
    Page: lazy(() => import('../pages/models/models')),
  },
];
