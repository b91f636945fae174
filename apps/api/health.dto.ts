import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { type Mode, modes } from '#config';

export class HealthResponse {
  @ApiProperty({ enum: ['ok'] })
  status: 'ok';
}

export class ReadyResponse {
  @ApiProperty({ enum: ['ready', 'not_ready'] })
  status: 'ready' | 'not_ready';
  @ApiProperty({ enum: modes, enumName: 'Mode' })
  mode: Mode;
  @ApiProperty({
    enum: ['ok', 'unavailable', 'failed', 'not_checked'],
    description: 'not_checked: Tenkey is starting or stopping.',
  })
  database: 'ok' | 'unavailable' | 'failed' | 'not_checked';
  @ApiPropertyOptional({
    enum: ['ok', 'missing'],
    description: 'Whether all encryption keys are loaded. Absent without the database.',
  })
  encryption_keys?: 'ok' | 'missing';
  @ApiPropertyOptional({
    enum: ['ok', 'failing'],
    description:
      'failing: changes and usage records cannot be stored, because the database is unavailable, or its disk is full, or it is read-only. In the last two cases calls are still served. Absent while the process starts or stops.',
  })
  changes?: 'ok' | 'failing';
  @ApiPropertyOptional({ description: 'Why changes fail although the database can be read, and what to do.' })
  changes_reason?: string;
  @ApiProperty({ example: 8, description: 'How many models the catalogue has.' })
  models: number;
  @ApiProperty({
    enum: ['ok', 'stale'],
    enumName: 'CatalogueState',
    description: 'stale: the model file has faults, and the models of its last valid version are served.',
  })
  catalogue: 'ok' | 'stale';
  @ApiPropertyOptional({ description: 'The faults of a stale model file.' })
  catalogue_reason?: string;
  @ApiProperty({
    enum: ['on', 'off'],
    enumName: 'ReceiptsState',
    description: 'off: there is no ENCRYPTION_KEY, which single-tenant mode does not need.',
  })
  receipts: 'on' | 'off';
  @ApiProperty({
    enum: ['hmac', 'hash'],
    enumName: 'AuditChain',
    description:
      'How the audit events are chained. hash: with a plain hash, because there is no ENCRYPTION_KEY.',
  })
  audit_chain: 'hmac' | 'hash';
  @ApiPropertyOptional({
    type: [String],
    example: [],
    description: 'Ids of the encryption keys that are missing. Absent without the database.',
  })
  missing_keys?: readonly string[];
  @ApiPropertyOptional({ description: 'Why it is not ready, and what to do.' })
  reason?: string;
}
