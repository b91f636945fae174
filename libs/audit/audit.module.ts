import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditEvent } from './audit-event.entity';
import { AuditEventsController } from './audit-events.controller';
import { AuditLogService } from './audit-log.service';
import { AuditChainController } from './chain/audit-chain.controller';
import { AuditChainService } from './chain/audit-chain.service';
import { AuditRetentionService } from './audit-retention.service';
import { RefusedAttemptsService } from './refused-attempts.service';

@Global()
@Module({
  imports: [TypeOrmModule.forFeature([AuditEvent])],
  controllers: [AuditEventsController, AuditChainController],
  providers: [AuditLogService, AuditChainService, RefusedAttemptsService, AuditRetentionService],
  exports: [AuditLogService, RefusedAttemptsService],
})
export class AuditModule {}
