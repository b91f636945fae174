import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { FernetService } from '#crypto';
import { type CredentialStatus } from '../credential';
import { warningDays } from '../expiry';
import { CredentialHealth, TenantCredential } from '../rows/credentials.entity';

/** How many live credentials of one provider have a status. */
export interface CredentialCount {
  readonly provider: string;
  /** Never `tampered`: only the seal of each row shows that. */
  readonly status: CredentialStatus;
  readonly count: number;
}

/** Counts the live credentials of all tenants. One query, which reads no key and computes no seal. */
@Injectable()
export class CredentialCountsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly fernet: FernetService,
  ) {}

  async list(): Promise<CredentialCount[]> {
    const rows = await this.dataSource
      .createQueryBuilder(TenantCredential, 'c')
      .leftJoin(
        CredentialHealth,
        'h',
        'h.tenantId = c.tenantId and h.provider = c.provider and h.version = c.version and h.rejectedAt is not null',
      )
      .select('c.provider', 'provider')
      .addSelect(statusInSql, 'status')
      .addSelect('count(*)::int', 'count')
      .groupBy('c.provider')
      .addGroupBy('status')
      .orderBy('c.provider')
      .addOrderBy('status')
      .setParameters({ keyIds: this.fernet.keyIds(), hours: 24 * Math.max(...warningDays) })
      .getRawMany<CredentialCount>();
    return rows;
  }
}

/** The statuses in the order of `credentialStatuses`. */
const statusInSql = `case
  when c.sealedApiKey not like 'enc:fernet:v1:%' then 'plaintext'
  when c.encryptionKeyId <> all(:keyIds) then 'unreadable'
  when h.rejectedAt is not null then 'rejected'
  when c.expiresAt <= now() then 'expired'
  when c.expiresAt <= now() + make_interval(hours => :hours) then 'expiring'
  else 'ready' end`;
