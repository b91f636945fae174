import { Injectable } from '@nestjs/common';
import { FernetService, signingPurposes } from '#crypto';
import { type Route } from '#egress';
import { type MeteredCall } from '../metering/call-meter';
import { type CallFields } from '../reports/call-fields';
import { type UsageRecordResponse } from '../reports/usage-records.dto';

const VERSION = 'tkr1';
const form = new RegExp(`^${VERSION}\\.([0-9a-f]{12})\\.([\\w-]+)\\.([\\w-]{43})$`);

/** What a receipt proves: the provider accepted this credential for this call. */
export type Receipt = Readonly<
  Pick<UsageRecordResponse, keyof CallFields | 'request_id' | 'at' | 'adapter' | 'host' | 'target'>
>;

export type ReceiptCheck =
  | { readonly isValid: true; readonly receipt: Receipt }
  | { readonly isValid: false; readonly reason: string };

/**
 * Issues and verifies receipts: `tkr1.<encryption key id>.<receipt>.<mac>`. The receipt is JSON in base64url; the MAC is an
 * HMAC-SHA256 of the two preceding parts, under a key derived from that encryption key. A receipt contains everything that it
 * proves, so it can be verified after its usage record is deleted. Without an encryption key no receipt can be made, and
 * Tenkey issues none.
 */
@Injectable()
export class ReceiptsService {
  constructor(private readonly fernet: FernetService) {}

  get isEnabled(): boolean {
    return this.fernet.currentKeyId !== undefined;
  }

  /** @returns undefined if there is no encryption key */
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
      this.fernet.mac(encryptionKeyId, signingPurposes.receipt, [encryptionKeyId, text]),
    ].join('.');
  }

  verify(presented: string): ReceiptCheck {
    const [, encryptionKeyId, text, mac] = form.exec(presented.trim()) ?? [];
    if (encryptionKeyId === undefined || text === undefined || mac === undefined) {
      return { isValid: false, reason: 'It is not a receipt, or a part is missing.' };
    }
    if (!this.fernet.canVerify(encryptionKeyId)) {
      return {
        isValid: false,
        reason:
          'It was issued under another encryption key. Add that key to ENCRYPTION_KEY_PREVIOUS and try again.',
      };
    }
    if (!this.fernet.verifyMac(encryptionKeyId, signingPurposes.receipt, [encryptionKeyId, text], mac)) {
      return { isValid: false, reason: 'Tenkey did not issue it, or it was changed.' };
    }
    return { isValid: true, receipt: JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Receipt };
  }
}
