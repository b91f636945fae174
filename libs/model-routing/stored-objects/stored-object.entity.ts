import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type ObjectKind } from './kinds';

/** An id of something that a provider keeps, and the tenant that got it in a response. */
@Entity({ name: 'stored_objects' })
export class StoredObject {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId: string;

  @PrimaryColumn('bytea', { name: 'id_hash' })
  idHash: Buffer;

  @PrimaryColumn('text')
  kind: ObjectKind;

  @PrimaryColumn('text')
  provider: string;

  /** Of the route. The same id from another server is another object. */
  @PrimaryColumn('text')
  host: string;

  /** The name in ai_models.yml with which it was made. */
  @Column('text')
  model: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  /** When Tenkey forgets it; null: with the tenant. */
  @Column('timestamptz', { name: 'forget_at', nullable: true })
  forgetAt: Date | null;

  /** True for a background response whose tokens are in no usage record yet. */
  @Column('boolean', { name: 'is_usage_due' })
  isUsageDue: boolean;
}
