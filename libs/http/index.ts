/**
 * How Tenkey speaks HTTP: who may call what, and how every failure looks.
 *
 * Guarantees: default deny; authentication before a body is read; every error has one of the codes of problem.ts and
 * the shape of its API (RFC 9457; on /v1 OpenAI's or Anthropic's); no input and no foreign error text reaches a response.
 *
 * Does not: know tenants, credentials or providers.
 */
export { Access } from './access/access';
export { ChangedBy } from './access/changed-by';
export { type Scope, scopes, superGrantOf, SysadminGrant, type TenantGrant } from './access/grants';
export { unauthenticatedSysadmin } from './access/keys';
export { PlatformController } from './access/platform-controller';
export {
  clearedSessionCookie,
  hasSessionCookie,
  sessionCookie,
  sessionCookieName,
  sessionTokenOf,
} from './access/session-cookie';
export {
  checkedFields,
  jsonOf,
  refuseFields,
  uuidPattern,
  validated,
  validTenantId,
} from './fields/validation';
export { csvLine } from './bodies/csv';
export { isTypoOf } from './fields/edit-distance';
export { EventListQuery, ListQuery, PageResponse } from './fields/list-query';
export { IsName, IsSearchText } from './fields/text-fields';
export { IsTime, isTime } from './fields/time-fields';
export * as hooks from './hooks';
export { HttpModule } from './http.module';
export { documentRoutes } from './openapi/document-routes';
export { ApiProblems } from './problems/api-problems';
export { type FieldFault, Problem, type ProblemCode, problems } from './problems/problem';
export { hintAt } from './problems/render';
export { isKnownRoute } from './request-context';
export {
  credentialPath,
  credentialsPath,
  platformPrefix,
  sysadminPrefix,
  tenantPath,
} from './requests/paths';
