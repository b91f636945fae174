import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { Tenant } from '#tenants';
import { expiresWithinDays, warningDays } from '../expiry';
import { CredentialHealth, TenantCredential } from '../rows/credentials.entity';

/** A live credential that needs attention, and why. */
export interface CredentialWarning {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly provider: string;
  /** Where to send alerts about the tenant's credentials, if that is known. */
  readonly contactEmail?: string;
  /** 30, 7 or 1: it expires within that many days; 0: it has expired. Undefined: neither. */
  readonly withinDays?: number;
  /** When it expires, if `withinDays` is given. */
  readonly expiresAt?: Date;
  /** How often the provider rejected it since it last accepted it. */
  readonly rejections: number;
}

/** Finds the live credentials of all tenants that expire soon or are rejected. One query, which reads no key. */
@Injectable()
export class CredentialWarningsService {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  async list(): Promise<CredentialWarning[]> {
    const rows = await this.dataSource
      .createQueryBuilder(TenantCredential, 'c')
      .innerJoin(Tenant, 't', 't.id = c.tenantId')
      .leftJoin(
        CredentialHealth,
        'h',
        'h.tenantId = c.tenantId and h.provider = c.provider and h.version = c.version and h.rejectedAt is not null',
      )
      .select('c.tenantId', 'tenantId')
      .addSelect('t.name', 'tenantName')
      .addSelect('c.provider', 'provider')
      .addSelect('t.contactEmail', 'contactEmail')
      .addSelect('coalesce(h.rejections, 0)', 'rejections')
      .addSelect(`case when ${expiresSoon} then c.expiresAt end`, 'expiresAt')
      .where(`${expiresSoon} or h.rejectedAt is not null`)
      .orderBy('c.tenantId')
      .addOrderBy('c.provider')
      // In hours, since the day on which summer time ends has 25 of them in the database's time zone.
      .setParameters({ hours: 24 * Math.max(...warningDays) })
      .getRawMany<{
        tenantId: string;
        tenantName: string;
        provider: string;
        contactEmail: string | null;
        expiresAt: Date | null;
        rejections: number;
      }>();
    return rows.map(({ tenantId, tenantName, provider, contactEmail, expiresAt, rejections }) => ({
      tenantId,
      tenantName,
      provider,
      contactEmail: contactEmail ?? undefined,
      withinDays: expiresWithinDays(expiresAt),
      expiresAt: expiresAt ?? undefined,
      rejections,
    }));
  }
}

const expiresSoon = 'c.expiresAt <= now() + make_interval(hours => :hours)';
