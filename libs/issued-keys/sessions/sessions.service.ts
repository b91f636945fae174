import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { AuditLogService } from '#audit';
import { type Config, InjectConfig } from '#config';
import { waitAtStop } from '#database';
import { type ChangedBy, superGrantOf, type SysadminGrant } from '#http';
import { isSameDigest, issueKey } from '../issued-key';
import { LastUse } from '../stored-keys';
import { SysadminKeysService } from '../sysadmin-keys.service';
import { insertSession, type NewSession, openSession, proofOf, type SessionOrigin } from './session-rows';
import { SysadminSession } from './sysadmin-session.entity';

/** Sessions of the console. Like sysadmin keys, they are read from the database for each request, and nothing is cached. */
@Injectable()
export class SessionsService implements OnApplicationShutdown {
  readonly #lastUse: LastUse;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly keys: SysadminKeysService,
    private readonly audit: AuditLogService,
    @InjectConfig() private readonly config: Config,
  ) {
    this.#lastUse = new LastUse(dataSource, SysadminSession, 'session');
  }

  async onApplicationShutdown(): Promise<void> {
    await waitAtStop(this.#lastUse.written(), this.config);
  }

  /**
   * @returns the new session with its token, which is not kept anywhere
   * @throws Problem unauthenticated when the key was revoked meanwhile
   */
  async create(origin: SessionOrigin, by: ChangedBy): Promise<NewSession> {
    return this.dataSource.transaction(async (transaction) => {
      const session = await insertSession(transaction, issueKey('tkc'), origin);
      const after = { id: session.id, expires_at: session.expiresAt.toISOString() };
      await this.audit.record(transaction, by, { action: 'session.create', details: { after } });
      return session;
    });
  }

  /** After the commit the session opens nothing in any process. */
  async remove(id: string, by: ChangedBy): Promise<void> {
    await this.dataSource.transaction(async (transaction) => {
      const { affected } = await transaction.delete(SysadminSession, { id });
      if (affected !== 1) return;
      await this.audit.record(transaction, by, { action: 'session.delete', details: { before: { id } } });
    });
  }

  /** What the session of a token opens now: what its key opens. Undefined: there is no open session with this token. */
  async grant(token: string): Promise<SysadminGrant | undefined> {
    const session = await openSession(this.dataSource, token);
    if (session === undefined) return undefined;
    const grant = this.#grantOfOrigin(session, token);
    if (grant === undefined) return undefined;
    const { id, expiresAt: own } = session;
    this.#lastUse.note(id);
    // The key may expire earlier than it did when it was exchanged.
    const expiresAt = grant.expiresAt !== null && grant.expiresAt < own ? grant.expiresAt : own;
    return { ...grant, session: { id, expiresAt } };
  }

  #grantOfOrigin({ key, keyProof }: SysadminSession, token: string): SysadminGrant | undefined {
    if (keyProof === null) return key ? this.keys.grantOf(key) : undefined;
    // All are compared, so that the time does not say which one it is.
    const found = this.config.superApiKeys.filter((each) =>
      isSameDigest(proofOf(token, each.expose()), keyProof),
    );
    return found[0] && superGrantOf(found[0].expose());
  }
}
