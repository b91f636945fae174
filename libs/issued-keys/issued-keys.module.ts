import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '#cache';
import { TenantsModule, TenantsService } from '#tenants';
import { SysadminKey, TenantKey } from './issued-keys.entity';
import { SessionsController } from './sessions/sessions.controller';
import { SessionsService } from './sessions/sessions.service';
import { SysadminSession } from './sessions/sysadmin-session.entity';
import { issuedKeyRemoval } from './stored-keys';
import { SysadminKeysController } from './sysadmin-keys.controller';
import { SysadminKeysService } from './sysadmin-keys.service';
import { TenantKeysController } from './tenant-keys.controller';
import { TenantKeysService } from './tenant-keys.service';
import { KeyLimitsService } from './limits/key-limits.service';
import { TokenLimitsService } from './limits/token-limits.service';

@Module({
  imports: [TypeOrmModule.forFeature([TenantKey, SysadminKey, SysadminSession]), CacheModule, TenantsModule],
  controllers: [TenantKeysController, SysadminKeysController, SessionsController],
  providers: [TenantKeysService, SysadminKeysService, SessionsService, KeyLimitsService, TokenLimitsService],
  exports: [TenantKeysService, SysadminKeysService, SessionsService, KeyLimitsService, TokenLimitsService],
})
export class IssuedKeysModule {
  constructor(tenants: TenantsService) {
    tenants.onRemoval(issuedKeyRemoval);
  }
}
