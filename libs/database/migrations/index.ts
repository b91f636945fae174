import { CreateTenantsAndCredentials1764000000000 } from './1764000000000-create-tenants-and-credentials';

/** In the order they run. Explicit: a glob finds other files in dist/ than in the sources. */
export const migrations = [CreateTenantsAndCredentials1764000000000];
