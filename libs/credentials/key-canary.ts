import { Injectable } from '@nestjs/common';
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
 * One sealed text per database that a right key opens. A wrong ENCRYPTION_KEY is noticed at start and named, not at
 * the first tenant's call. A database without any credential under other keys adopts the current key.
 */
@Injectable()
export class KeyCanary {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly fernet: FernetService,
  ) {}

  async check(): Promise<KeyCheck> {
    const keyId = this.fernet.currentKeyId;
    if (keyId === undefined) return { isReady: true, missingKeys: [] };
    const used = await this.dataSource.query<{ key_id: string }[]>(
      'SELECT DISTINCT key_id FROM tenant_credentials ORDER BY key_id',
    );
    const missing = used.map((row) => row.key_id).filter((id) => !this.fernet.hasKey(id));
    const canary = await this.read();
    if (canary && this.opens(canary)) return { isReady: true, missingKeys: missing };
    if (canary === undefined || missing.length === 0) {
      await this.plant(keyId, canary?.key_id);
      return {
        isReady: missing.length === 0,
        missingKeys: missing,
        ...(missing.length > 0 && wrongKey(missing)),
      };
    }
    const all = [...new Set([...missing, canary.key_id])].sort();
    return { isReady: false, missingKeys: all, ...wrongKey(all) };
  }

  private async read(): Promise<{ key_id: string; sealed: string } | undefined> {
    const rows = await this.dataSource.query<{ key_id: string; sealed: string }[]>(
      'SELECT key_id, sealed FROM encryption_canary WHERE id = 1',
    );
    return rows[0];
  }

  /** Replaces only what was read, so that of two replicas one plants. */
  private async plant(keyId: string, replaced: string | undefined): Promise<void> {
    const { sealed } = this.fernet.encrypt(new Secret(canaryText));
    await this.dataSource.query(
      `INSERT INTO encryption_canary (id, key_id, sealed) VALUES (1, $1, $2)
       ON CONFLICT (id) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed, created_at = now()
       WHERE encryption_canary.key_id = $3`,
      [keyId, sealed, replaced ?? ''],
    );
  }

  private opens(canary: { key_id: string; sealed: string }): boolean {
    if (!this.fernet.hasKey(canary.key_id)) return false;
    try {
      return this.fernet.decrypt(canary.sealed, canary.key_id).expose() === canaryText;
    } catch {
      return false;
    }
  }
}

function wrongKey(missing: readonly string[]): { reason: string } {
  return {
    reason: `ENCRYPTION_KEY is not the key of this database: the keys with the fingerprints ${missing.join(', ')} are missing. Set the right one, or add it to ENCRYPTION_KEY_PREVIOUS.`,
  };
}
