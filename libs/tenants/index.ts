/**
 * Tenants: who owns credentials and pays.
 *
 * Guarantees: names and ids are unique; a suspended tenant's calls are refused; other libs register what they remove with a
 * tenant (`TenantsService.onRemoval`), and it is removed in the same transaction. Does not: hold or show credential material, or
 * know the tables of other libs.
 */
export { Tenant, type TenantState, tenantStates } from './tenant.entity';
export { lockedTenant, tenantsKeptFromDeletion, tenantSuspended } from './tenant-locks';
export {
  CreateTenantRequest,
  fieldsOfProviders,
  refuseUnknownProviders,
  tenantParam,
  type TenantPageResponse,
  type TenantResponse,
  UpdateTenantRequest,
} from './tenants.dto';
export { tenantFindings } from './tenant-findings';
export { TenantsModule } from './tenants.module';
export { type TenantRemoval, TenantsService } from './tenants.service';
