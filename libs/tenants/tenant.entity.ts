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

  /** Where to send alerts about credentials that expire or are rejected: a shared mailbox, not a person's. */
  @Column('text', { name: 'contact_email', nullable: true })
  contactEmail: string | null;

  @Column('text')
  state: TenantState;

  /** The providers that the tenant should have a credential for; null: those that it has one for. */
  @Column('text', { name: 'expected_providers', array: true, nullable: true })
  expectedProviders: string[] | null;

  /** A random UUID that binds stored rows to this tenant and not to its id, which may be used again. */
  @Column('uuid', { select: false })
  incarnation: string;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at', precision: 6 })
  createdAt: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at', precision: 6 })
  updatedAt: Date;
}
