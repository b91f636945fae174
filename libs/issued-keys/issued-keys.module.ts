import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantsModule } from '#tenants';
import { SysadminKey } from './sysadmin-key.entity';
import { SysadminKeysController } from './sysadmin-keys.controller';
import { SysadminKeysService } from './sysadmin-keys.service';
import { TenantKey } from './issued-keys.entity';
import { TenantKeysController } from './tenant-keys.controller';
import { TenantKeysService } from './tenant-keys.service';
import { TokenLimitsService } from './token-limits.service';

@Module({
  imports: [TypeOrmModule.forFeature([TenantKey, SysadminKey]), TenantsModule],
  controllers: [TenantKeysController, SysadminKeysController],
  providers: [TenantKeysService, SysadminKeysService, TokenLimitsService],
  exports: [TenantKeysService, SysadminKeysService, TokenLimitsService],
})
export class IssuedKeysModule {}
