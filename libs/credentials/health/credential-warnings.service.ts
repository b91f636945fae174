import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { expiresWithinDays, warningDays } from '../expiry';

/** A credential that somebody should look at: whose, and why. */
export interface CredentialWarning {
  readonly tenantId: string;
  readonly provider: string;
  /** The tenant's function mailbox, if it has one. */
  readonly contactEmail?: string;
  /** 30, 7 or 1: it ends within so many days; 0: it has. Undefined: not soon. */
  readonly withinDays?: number;
  /** When it ends, where that is soon. */
  readonly expiresAt?: Date;
  /** How often the provider refused it since it last accepted it. */
  readonly rejections: number;
}

/** Finds the credentials in use that end soon or are refused, of all tenants in one query, without reading a key. */
@Injectable()
export class CredentialWarningsService {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  async list(): Promise<CredentialWarning[]> {
    const rows = await this.dataSource.query<
      {
        tenant_id: string;
        provider: string;
        contact_email: string | null;
        expires_at: Date | null;
        rejections: number;
      }[]
    >(
      `select c.tenant_id, c.provider, t.contact_email, coalesce(h.rejections, 0) as rejections,
         case when c.expires_at <= now() + make_interval(hours => $1) then c.expires_at end as expires_at
       from tenant_credentials c
       join tenants t on t.id = c.tenant_id
       left join credential_health h
         on h.tenant_id = c.tenant_id and h.provider = c.provider and h.version = c.version and h.rejected_at is not null
       where c.expires_at <= now() + make_interval(hours => $1) or h.rejected_at is not null
       order by c.tenant_id, c.provider`,
      // Hours, since a day of the database's time zone has 25 of them when summer time ends.
      [24 * Math.max(...warningDays)],
    );
    return rows.map((row) => ({
      tenantId: row.tenant_id,
      provider: row.provider,
      contactEmail: row.contact_email ?? undefined,
      withinDays: expiresWithinDays(row.expires_at),
      expiresAt: row.expires_at ?? undefined,
      rejections: row.rejections,
    }));
  }
}
