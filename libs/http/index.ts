import './request';

/**
 * How Tenkey speaks HTTP: who may call what, and how every failure looks.
 *
 * Guarantees: default deny; authentication before a body is read; every error has one of the codes of problem.ts and
 * the shape of its API (RFC 9457, on /v1 OpenAI's); no input and no foreign error text reaches an answer. Does not: know tenants, credentials or providers.
 */
export { ApiPlatformProblems, ApiProblems } from './problems/api-problems';
export { Access, AccessGuard, authenticateEarly, Grant } from './access/access';
export { Authentication, bearerOf } from './access/authentication';
export { By, changedBy, type ChangedBy, noteAddress } from './access/changed-by';
export {
  type Audience,
  type IssuedKeys,
  type Scope,
  type ScopedGrant,
  scopes,
  type SysadminGrant,
  type TenantGrant,
  tenantsOf,
} from './access/grants';
export { KnownRoutes } from './requests/known-routes';
export { EventListQuery, ListQuery, PageResponse } from './fields/list-query';
export { IsName, NoControl, trimmed } from './fields/name';
export { PlatformController } from './access/platform-controller';
export { PlatformKeyGuard } from './access/platform-key.guard';
export {
  Problem,
  problems,
  type FieldFault,
  type ProblemCode,
  type ProblemDetails,
} from './problems/problem';
export { problemOf, ProblemFilter, sendProblem } from './problems/problem.filter';
export { renderLastEvent } from './problems/render';
export { credentialPath, platformPrefix, sysadminPrefix, tenantPath } from './requests/paths';
export { asksForChange, isWithin, pathOf, routePattern } from './requests/request-target';
export { RunningRequests } from './running-requests';
export { SuperApiKeyGuard } from './access/super-api-key.guard';
export {
  faultsOf,
  isRealTime,
  IsTime,
  jsonOf,
  knownQuery,
  misspelt,
  uuidPattern,
  validated,
  validTenantId,
} from './fields/validation';
