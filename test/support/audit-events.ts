import { randomUUID } from 'node:crypto';
import { FernetService } from '#crypto';
import { hashOf } from '../../libs/audit/chain/audit-chain';
import { type TestApp } from './app';

const BATCH = 5000;

/**
 * Appends many valid events to the chain, as many changes would.
 * @param size about how many bytes the details of each have
 */
export async function addAuditEvents(tenkey: TestApp, count: number, size = 200): Promise<void> {
  const fernet = tenkey.nest.get(FernetService, { strict: false });
  const details = { after: { mask: '...xyz9', version: '3', note: 'n'.repeat(size) } };
  await tenkey.database.transaction(async (transaction) => {
    const [head] = await transaction.query<[{ seq: string; hash: string }]>(
      'select seq::text, hash from audit_head for update',
    );
    for (let done = 0; done < count; done += BATCH) {
      const rows = Array.from({ length: Math.min(BATCH, count - done) }, () => {
        const event = {
          seq: String(BigInt(head.seq) + 1n),
          at: new Date(),
          actor: 'super-key sha256:5f0c2e2a',
          requestId: randomUUID(),
          address: '10.0.0.7',
          action: 'credential.set',
          outcome: 'done' as const,
          tenantId: null,
          provider: 'openai',
          details,
          encryptionKeyId: fernet.currentKeyId ?? null,
        };
        const hash = hashOf(fernet, event, head.hash);
        Object.assign(head, { seq: event.seq, hash });
        const { requestId, tenantId, encryptionKeyId, ...columns } = event;
        return { ...columns, request_id: requestId, tenant_id: tenantId, key_id: encryptionKeyId, hash };
      });
      await transaction.query(
        'insert into audit_events select * from jsonb_populate_recordset(null::audit_events, $1::jsonb)',
        [JSON.stringify(rows)],
      );
    }
    await transaction.query('update audit_head set seq = $1, hash = $2', [head.seq, head.hash]);
  });
}
