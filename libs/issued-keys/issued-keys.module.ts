import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantsModule } from '#tenants';
import { SysadminKey } from './sysadmin-key.entity';
import { SysadminKeysController } from './sysadmin-keys.controller';
import { SysadminKeysService } from './sysadmin-keys.service';
import { TenantKey } from './tenant-key.entity';
import { TenantKeysController } from './tenant-keys.controller';
import { TenantKeysService } from './tenant-keys.service';
import { TokenLimits } from './token-limits';

@Module({
  imports: [TypeOrmModule.forFeature([TenantKey, SysadminKey]), TenantsModule],
  controllers: [TenantKeysController, SysadminKeysController],
  providers: [TenantKeysService, SysadminKeysService, TokenLimits],
  exports: [TenantKeysService, SysadminKeysService, TokenLimits],
})
export class IssuedKeysModule {}
