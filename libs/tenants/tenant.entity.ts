import { Column, CreateDateColumn, Entity, PrimaryColumn, UpdateDateColumn } from 'typeorm';

export const tenantStates = ['active', 'suspended'] as const;
export type TenantState = (typeof tenantStates)[number];

/** Who owns credentials and pays. Carries no credential material. */
@Entity({ name: 'tenants' })
export class Tenant {
  @PrimaryColumn('uuid')
  id: string;

  @Column('text')
  name: string;

  @Column('text', { name: 'display_name', nullable: true })
  displayName: string | null;

  /** Who is told of credentials that end or are refused: a function mailbox. */
  @Column('text', { name: 'contact_email', nullable: true })
  contactEmail: string | null;

  @Column('text')
  state: TenantState;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at', precision: 6 })
  createdAt: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at', precision: 6 })
  updatedAt: Date;
}
