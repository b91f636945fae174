import { Injectable } from '@nestjs/common';
import { FernetService } from '#crypto';
import { type CredentialSource, type Route } from '#egress';
import { type Operation } from '#providers';
import { type MeteredCall } from '../metering/call-meter';

const purpose = 'tenkey receipt v1';
const VERSION = 'tkr1';
const form = new RegExp(`^${VERSION}\\.([0-9a-f]{12})\\.([\\w-]+)\\.([\\w-]{43})$`);

/** What a receipt says: this credential was accepted by this provider for this call. */
export interface Receipt {
  readonly request_id: string;
  /** When the call began. */
  readonly at: string;
  readonly tenant_id: string;
  readonly key_id: string | null;
  readonly model: string;
  readonly operation: Operation;
  readonly adapter: Route['adapter'];
  readonly provider: string;
  readonly host: string;
  readonly target: string;
  readonly source: CredentialSource;
  readonly mask: string;
  readonly version: string | null;
}

export type ReceiptCheck =
  | { readonly isValid: true; readonly receipt: Receipt }
  | { readonly isValid: false; readonly reason: string };

/**
 * Receipts of calls: `tkr1.<key id>.<receipt>.<mac>`, the receipt as base64url of JSON, the mac an HMAC-SHA256 of both before
 * it under a key derived from the encryption key of that id. It says everything itself, so that it can be checked when the
 * usage record is gone; whoever has no encryption key can make none. There are none without an encryption key.
 */
@Injectable()
export class ReceiptsService {
  constructor(private readonly fernet: FernetService) {}

  get isEnabled(): boolean {
    return this.fernet.currentKeyId !== undefined;
  }

  issue(route: Route, call: MeteredCall, at: Date): string | undefined {
    const encryptionKeyId = this.fernet.currentKeyId;
    if (encryptionKeyId === undefined) return undefined;
    const receipt: Receipt = {
      request_id: call.requestId,
      at: at.toISOString(),
      tenant_id: route.tenantId,
      key_id: call.tenantKeyId,
      model: route.model,
      operation: route.operation,
      adapter: route.adapter,
      provider: route.provider.id,
      host: route.host,
      target: route.target,
      source: route.credential.source,
      mask: route.credential.mask,
      version: route.version,
    };
    const text = Buffer.from(JSON.stringify(receipt)).toString('base64url');
    return [
      VERSION,
      encryptionKeyId,
      text,
      this.fernet.mac(encryptionKeyId, purpose, [encryptionKeyId, text]),
    ].join('.');
  }

  verify(presented: string): ReceiptCheck {
    const [, encryptionKeyId, text, mac] = form.exec(presented.trim()) ?? [];
    if (encryptionKeyId === undefined || text === undefined || mac === undefined) {
      return { isValid: false, reason: 'It is not a receipt, or was cut.' };
    }
    if (!this.fernet.hasKey(encryptionKeyId)) {
      return {
        isValid: false,
        reason:
          'It was made under another encryption key. Load that key in ENCRYPTION_KEY_PREVIOUS and try again.',
      };
    }
    if (!this.fernet.verifyMac(encryptionKeyId, purpose, [encryptionKeyId, text], mac)) {
      return { isValid: false, reason: 'It was not made here, or was changed.' };
    }
    return { isValid: true, receipt: JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Receipt };
  }
}
