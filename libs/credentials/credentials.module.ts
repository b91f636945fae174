import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantsModule } from '#tenants';
import { CredentialsController } from './credentials.controller';
import { CredentialsService } from './credentials.service';
import { KeyCanary } from './key-canary';
import { TenantCredential } from './tenant-credential.entity';

@Module({
  imports: [TypeOrmModule.forFeature([TenantCredential]), TenantsModule],
  controllers: [CredentialsController],
  providers: [CredentialsService, KeyCanary],
  exports: [CredentialsService, KeyCanary],
})
export class CredentialsModule {}
