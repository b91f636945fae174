/**
 * Tenants: who owns credentials and pays.
 *
 * Guarantees: names and ids are unique; a suspended tenant's calls are refused; deleting one removes its credentials and keys.
 * Does not: hold or show credential material.
 */
export { Tenant, type TenantState, tenantStates } from './tenant.entity';
export { TenantsModule } from './tenants.module';
export { lockedTenant, TenantsService } from './tenants.service';
