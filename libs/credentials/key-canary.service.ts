import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { FernetService, Secret } from '#crypto';

/** Whether the loaded encryption keys are those that the database was sealed with. Contains fingerprints only. */
export interface KeyCheck {
  readonly isReady: boolean;
  readonly reason?: string;
  /** Fingerprints of encryption keys that stored credentials are sealed under and that are not loaded. */
  readonly missingKeys: readonly string[];
}

const canaryText = 'tenkey key canary';

/**
 * Each database has one sealed text, the canary, that only the right encryption key opens. So a wrong ENCRYPTION_KEY is
 * reported at the start and not at a tenant's first call.
 *
 * The start seals the canary again under the current key, if every key that a credential is sealed under is loaded. Nothing
 * can be lost then: the database is empty, or a rotation is complete. Otherwise a canary that is missing or sealed under
 * another key means that the current key may be wrong, and the check fails.
 */
@Injectable()
export class KeyCanaryService implements OnApplicationBootstrap {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly fernet: FernetService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const encryptionKeyId = this.fernet.currentKeyId;
    if (encryptionKeyId === undefined || (await this.missingKeys()).length > 0) return;
    const canary = await this.read();
    if (!this.isCurrent(canary)) await this.replace(canary?.key_id, encryptionKeyId);
  }

  /** Writes nothing. Without a current key there is nothing to check. */
  async check(): Promise<KeyCheck> {
    if (this.fernet.currentKeyId === undefined) return { isReady: true, missingKeys: [] };
    const missing = await this.missingKeys();
    if (missing.length === 0) return { isReady: true, missingKeys: [] };
    const reason = `Some credentials are sealed under keys that are not loaded, with the fingerprints ${missing.join(', ')}. Add those keys to ENCRYPTION_KEY_PREVIOUS, or set the credentials that are listed as unreadable again.`;
    if (this.isCurrent(await this.read())) return { isReady: true, missingKeys: missing, reason };
    return { isReady: false, missingKeys: missing, reason: `ENCRYPTION_KEY may be the wrong one. ${reason}` };
  }

  /**
   * For a process other than the service, before it seals anything: whether the service will be able to open it. Stricter than
   * `check`, since before the first credential only the canary shows which key the service was started with.
   */
  async checkBeforeSealing(): Promise<KeyCheck> {
    const check = await this.check();
    const canary = check.isReady ? await this.read() : undefined;
    if (canary === undefined || this.isCurrent(canary)) return check;
    return {
      isReady: false,
      missingKeys: [canary.key_id],
      reason: `ENCRYPTION_KEY may be the wrong one: the service was last started with the key that has the fingerprint ${canary.key_id}. Use that key, or, if it was changed on purpose, start the service with the new one first.`,
    };
  }

  private async missingKeys(): Promise<string[]> {
    const used = await this.dataSource.query<{ key_id: string }[]>(
      'SELECT key_id FROM tenant_credentials UNION SELECT key_id FROM credential_slots ORDER BY key_id',
    );
    return used.map((row) => row.key_id).filter((id) => !this.fernet.hasKey(id));
  }

  private async read(): Promise<{ key_id: string; sealed: string } | undefined> {
    const rows = await this.dataSource.query<{ key_id: string; sealed: string }[]>(
      'SELECT key_id, sealed FROM encryption_canary WHERE id = 1',
    );
    return rows[0];
  }

  /** Replaces only the canary that was read, so that only one of several processes writes. */
  private async replace(readKeyId: string | undefined, encryptionKeyId: string): Promise<void> {
    const { sealed } = this.fernet.encrypt(new Secret(canaryText));
    await this.dataSource.query(
      `INSERT INTO encryption_canary (id, key_id, sealed) VALUES (1, $1, $2)
       ON CONFLICT (id) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed, created_at = now()
       WHERE encryption_canary.key_id = $3`,
      [encryptionKeyId, sealed, readKeyId ?? ''],
    );
  }

  /** True when it is sealed under the current key and that key opens it. */
  private isCurrent(canary: { key_id: string; sealed: string } | undefined): boolean {
    if (canary === undefined || canary.key_id !== this.fernet.currentKeyId) return false;
    try {
      return this.fernet.decrypt(canary.sealed, canary.key_id).expose() === canaryText;
    } catch {
      return false;
    }
  }
}
