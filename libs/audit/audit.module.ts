import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditEvent } from './audit-event.entity';
import { AuditEventsController } from './audit-events.controller';
import { AuditLog } from './audit-log.service';
import { RefusedAttempts } from './refused-attempts';

@Global()
@Module({
  imports: [TypeOrmModule.forFeature([AuditEvent])],
  controllers: [AuditEventsController],
  providers: [AuditLog, RefusedAttempts],
  exports: [AuditLog, RefusedAttempts],
})
export class AuditModule {}
