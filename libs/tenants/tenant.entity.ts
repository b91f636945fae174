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

  /** The values of `hosting` that a model may have to be called for the tenant; null: any. */
  @Column('text', { name: 'allowed_hosting', array: true, nullable: true })
  allowedHosting: string[] | null;

  /** The providers that may be called for the tenant; null: any. */
  @Column('text', { name: 'allowed_providers', array: true, nullable: true })
  allowedProviders: string[] | null;

  /** The tenant's own exceptions of the address policy, in the form of EGRESS_ALLOW. They open private addresses only. */
  @Column('text', { name: 'egress_allow', array: true, nullable: true })
  egressAllow: string[] | null;

  /** A random UUID that binds stored rows to this tenant and not to its id, which may be used again. */
  @Column('uuid', { select: false })
  incarnation: string;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at', precision: 6 })
  createdAt: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at', precision: 6 })
  updatedAt: Date;
}
