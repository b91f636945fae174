import { randomUUID } from 'node:crypto';
import { TenantCredential } from '#credentials';
import { FernetService, Secret } from '#crypto';
import { Tenant } from '#tenants';
import { sealedRow } from '../../libs/credentials/rows/credential-rows';
import { startTestApp } from '../support/app';

const providers = ['openai', 'anthropic', 'mistral'] as const;
const TENANTS_PER_TRANSACTION = 200;

/** The key of a stored credential. */
export const storedKey = (tenantId: string, provider: (typeof providers)[number]) =>
  `sk-${provider}-of-${tenantId}`;

/**
 * Stores credentials as PUT does, three for each tenant, but many in one transaction.
 * @returns the ids of the tenants
 */
export async function storeCredentials(
  databaseUrl: string,
  tenants: number,
  encryptionKey: string,
): Promise<string[]> {
  const app = await startTestApp({ ENCRYPTION_KEY: encryptionKey }, { databaseUrl });
  const ids: string[] = [];
  try {
    const fernet = app.nest.get(FernetService);
    while (ids.length < tenants) {
      const count = Math.min(TENANTS_PER_TRANSACTION, tenants - ids.length);
      const added = Array.from({ length: count }, () => randomUUID());
      await app.database.transaction(async (transaction) => {
        await transaction.query(
          `insert into tenants (id, name) select id, 'tenant-' || id from unnest($1::uuid[]) id`,
          [added],
        );
        const rows: TenantCredential[] = [];
        for (const tenant of await transaction
          .createQueryBuilder(Tenant, 't')
          .addSelect('t.incarnation')
          .where('t.id = any(:added)', { added })
          .getMany()) {
          for (const provider of providers) {
            const fields = {
              apiKey: new Secret(storedKey(tenant.id, provider)),
              settings: {},
              expiresAt: null,
            };
            rows.push(await sealedRow(transaction, fernet, tenant, 'live', provider, fields));
          }
        }
        await transaction
          .createQueryBuilder()
          .insert()
          .into(TenantCredential)
          .values(rows as object[])
          .execute();
      });
      ids.push(...added);
    }
  } finally {
    await app.nest.close();
    await app.provider.close();
  }
  return ids;
}
