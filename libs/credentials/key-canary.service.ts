import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { FernetService, Secret } from '#crypto';

/** Whether the loaded keys are those that the database was sealed with. Fingerprints only. */
export interface KeyCheck {
  readonly isReady: boolean;
  readonly reason?: string;
  /** Fingerprints of keys that sealed something and are not loaded. */
  readonly missingKeys: readonly string[];
}

const canaryText = 'tenkey key canary';

/**
 * One sealed text per database that the right key opens. A wrong ENCRYPTION_KEY is noticed at start and named, not at
 * the first tenant's call.
 *
 * At a start the canary moves to the current key, but only while no credential is under a key that is not loaded: then
 * nothing can be lost by it, be it a rotation that is through or an empty database. While some are, a canary under another
 * key (or none) means that the current key may be wrong, and the check fails.
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
    if (!this.isAtHome(canary)) await this.plant(encryptionKeyId, canary?.key_id);
  }

  /** Reads only. Without a current key there is nothing to check. */
  async check(): Promise<KeyCheck> {
    if (this.fernet.currentKeyId === undefined) return { isReady: true, missingKeys: [] };
    const missing = await this.missingKeys();
    if (missing.length === 0) return { isReady: true, missingKeys: [] };
    const reason = `Some credentials are sealed under keys that are not loaded, with the fingerprints ${missing.join(', ')}. Add those keys to ENCRYPTION_KEY_PREVIOUS, or set the credentials that are listed as unreadable anew.`;
    if (this.isAtHome(await this.read())) return { isReady: true, missingKeys: missing, reason };
    return { isReady: false, missingKeys: missing, reason: `ENCRYPTION_KEY may be the wrong one. ${reason}` };
  }

  /**
   * Asked before something is sealed beside the service: whether that will be able to open it. Stricter than `check`: with
   * nothing stored yet, the canary alone knows the key that the service was started with.
   */
  async checkBeforeSealing(): Promise<KeyCheck> {
    const check = await this.check();
    const canary = check.isReady ? await this.read() : undefined;
    if (canary === undefined || this.isAtHome(canary)) return check;
    return {
      isReady: false,
      missingKeys: [canary.key_id],
      reason: `ENCRYPTION_KEY may be the wrong one: the service was last started with the one that has the fingerprint ${canary.key_id}. Use that, or, where it was changed on purpose, start the service with the new one first.`,
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

  /** Replaces only what was read, so that of two replicas one plants. */
  private async plant(encryptionKeyId: string, replaced: string | undefined): Promise<void> {
    const { sealed } = this.fernet.encrypt(new Secret(canaryText));
    await this.dataSource.query(
      `INSERT INTO encryption_canary (id, key_id, sealed) VALUES (1, $1, $2)
       ON CONFLICT (id) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed, created_at = now()
       WHERE encryption_canary.key_id = $3`,
      [encryptionKeyId, sealed, replaced ?? ''],
    );
  }

  /** Under the current key, and that opens it. */
  private isAtHome(canary: { key_id: string; sealed: string } | undefined): boolean {
    if (canary === undefined || canary.key_id !== this.fernet.currentKeyId) return false;
    try {
      return this.fernet.decrypt(canary.sealed, canary.key_id).expose() === canaryText;
    } catch {
      return false;
    }
  }
}
