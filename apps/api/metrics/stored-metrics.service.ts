import { Injectable, Logger } from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';
import { type Config, InjectConfig } from '#config';
import {
  type CredentialCount,
  CredentialCountsService,
  CredentialWarningsService,
  EncryptionStatusService,
  SealingKeyService,
} from '#credentials';
import { isDatabaseUnavailable, reasonOf, within } from '#database';

/** How long a scrape waits for the database. Prometheus gives up after ten seconds. */
const READ_MS = 1000;
/** The database is read for at most a twentieth of the time, however often somebody asks; a read of three seconds serves for a minute. */
const LEAST_AGE_MS = 1000;
const AGE_FACTOR = 20;
const MOST_AGE_MS = 60_000;

type Warnings = Awaited<ReturnType<CredentialWarningsService['list']>>;
type Status = Awaited<ReturnType<EncryptionStatusService['status']>>;

/** What the database says, read together. */
interface Stored {
  readonly warnings: Warnings;
  readonly counts: readonly CredentialCount[];
  readonly encryption: Status;
}

/** The metrics of what is stored: of all tenants, and the same in every process. */
@Injectable()
export class StoredMetricsService {
  readonly registry = new Registry();
  readonly #log = new Logger('metrics');
  #stored: Stored | undefined;
  /** When `#stored` must be read again, by `performance.now()`. */
  #until = -Infinity;
  #reading: Promise<Stored | undefined> | undefined;

  readonly #up = this.#gauge(
    'tenkey_credential_metrics_up',
    '1: the metrics of what is stored are included. 0: the database is unavailable or does not respond, and they are left out.',
  );
  readonly #ready = this.#gauge(
    'tenkey_ready',
    '1: the process can serve calls, as /ready says. 0: it cannot, or the database is unavailable.',
  );
  readonly #expires = this.#gauge(
    'tenkey_credential_expires_timestamp_seconds',
    'When a credential expires (only credentials that expire within 30 days or have expired). within_days is 30, 7 or 1, or 0 after the expiry.',
    ['tenant_id', 'provider', 'contact_email', 'within_days'],
  );
  readonly #rejections = this.#gauge(
    'tenkey_credential_rejections',
    'How often a provider has refused a credential since it last accepted it (only credentials that it refuses).',
    ['tenant_id', 'provider', 'contact_email'],
  );
  readonly #tenants = this.#gauge(
    'tenkey_tenant_info',
    'Always 1; the name of each tenant that another metric names by its id. Join on tenant_id: a series keeps its id when its tenant is renamed.',
    ['tenant_id', 'name'],
  );
  readonly #credentials = this.#gauge(
    'tenkey_credentials',
    'Live credentials of all tenants by status. A tampered one shows only when a call or `tenkey doctor` checks its seal.',
    ['provider', 'status'],
  );
  readonly #keyRows = this.#gauge(
    'tenkey_encryption_key_rows',
    'Rows that are sealed under an encryption key, which is named by its fingerprint.',
    ['key_id', 'place'],
  );
  readonly #keyLoaded = this.#gauge(
    'tenkey_encryption_key_loaded',
    '1: this process has the encryption key. 0: it cannot open what is sealed under it.',
    ['key_id'],
  );

  #isReady = false;

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly warnings: CredentialWarningsService,
    private readonly counts: CredentialCountsService,
    private readonly encryption: EncryptionStatusService,
    private readonly sealingKey: SealingKeyService,
  ) {}

  /** Reads the database, unless that was just done. Never fails, and takes a second at most. */
  async refresh(): Promise<void> {
    const stored = performance.now() < this.#until ? this.#stored : await within(READ_MS, this.#read());
    // Earlier values may be outdated, and no value is better than a wrong one.
    for (const gauge of [this.#expires, this.#rejections, this.#tenants, this.#credentials]) gauge.reset();
    for (const gauge of [this.#keyRows, this.#keyLoaded]) gauge.reset();
    this.#up.set(Number(stored !== undefined));
    this.#ready.set(Number(this.#isReady));
    if (stored === undefined) return;
    this.#setWarnings(stored.warnings);
    for (const { provider, status, count } of stored.counts)
      this.#credentials.set({ provider, status }, count);
    for (const { keyId, rows, isLoaded } of stored.encryption.keys) {
      this.#keyLoaded.set({ key_id: keyId }, Number(isLoaded));
      for (const [place, count] of Object.entries(rows)) this.#keyRows.set({ key_id: keyId, place }, count);
    }
  }

  #setWarnings(warnings: Warnings): void {
    for (const warning of warnings) {
      const {
        tenantId,
        tenantName,
        provider,
        contactEmail = '',
        expiresAt,
        withinDays,
        rejections,
      } = warning;
      // Prometheus treats an empty label like a missing one, so the route of an alert can match on it in either case.
      const labels = { tenant_id: tenantId, provider, contact_email: contactEmail };
      this.#tenants.set({ tenant_id: tenantId, name: tenantName }, 1);
      if (expiresAt !== undefined) {
        this.#expires.set({ ...labels, within_days: String(withinDays) }, expiresAt.getTime() / 1000);
      }
      if (rejections > 0) this.#rejections.set(labels, rejections);
    }
  }

  /** One read at a time: while the database hangs, each scrape would otherwise take a connection that calls need. */
  #read(): Promise<Stored | undefined> {
    this.#reading ??= this.#readOnce().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #readOnce(): Promise<Stored | undefined> {
    const started = performance.now();
    try {
      // Known at once, however long the rest takes.
      this.#isReady = false;
      const { isReady } = await this.sealingKey.check();
      this.#isReady = isReady || !this.config.tenantCredentialsEnabled;
      this.#stored = {
        warnings: await this.warnings.list(),
        counts: await this.counts.list(),
        encryption: await this.encryption.status(),
      };
      const now = performance.now();
      this.#until = now + Math.min(Math.max(LEAST_AGE_MS, AGE_FACTOR * (now - started)), MOST_AGE_MS);
      return this.#stored;
    } catch (error) {
      this.#isReady = false;
      if (!isDatabaseUnavailable(error)) {
        this.#log.error(`the metrics of what is stored cannot be read: ${reasonOf(error)}`);
      }
      return undefined;
    }
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }
}
