import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shippedModelsFile } from '#model-routing';
import { say, step } from '../output';
import { type CleanUp, setUp, type Stage } from '../stage';
import { municipalities } from './municipalities';
import { seedTenants, type SeededTenant } from './seed';
import { sysadminApi } from './sysadmin-api';
import { seedUsage } from './usage';

/** Starts the service with the console. */
export function start(cleanUps: CleanUp[]): Promise<Stage> {
  const { PORT } = process.env;
  return setUp(cleanUps, {
    models: readFileSync(shippedModelsFile(), 'utf8'),
    // It is printed, and opens only this service, which ends with the demo.
    superKey: `demo-${randomBytes(12).toString('hex')}`,
    consoleFolder: join(__dirname, '../../../console'),
    port: PORT === undefined ? undefined : Number(PORT),
  });
}

/** Fills it with the tenants and what they did. */
export async function fill(stage: Stage): Promise<{ readonly tenants: readonly SeededTenant[] }> {
  step(`Data: the ${municipalities.length} municipalities of Sweden, and what they did in the last 14 days`);
  const started = performance.now();
  const target = { api: sysadminApi(stage.base, stage.superKey), ...stage };
  const tenants = await seedTenants(target, municipalities.length);
  const calls = await seedUsage(target, tenants);
  const credentials = tenants.flatMap((tenant) => tenant.credentials).length;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(`${tenants.length} tenants, ${credentials} credentials and ${calls} calls, in ${seconds} s`);
  return { tenants };
}
