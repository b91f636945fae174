import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantsModule } from '#tenants';
import { CredentialHealth } from './credential-health.entity';
import { CredentialVerification } from './credential-verification.service';
import { CredentialWarnings } from './credential-warnings.service';
import { CredentialsController } from './credentials.controller';
import { CredentialsService } from './credentials.service';
import { KeyCanary } from './key-canary';
import { PassiveHealth } from './passive-health.service';
import { TenantCredential } from './tenant-credential.entity';

@Module({
  imports: [TypeOrmModule.forFeature([TenantCredential, CredentialHealth]), TenantsModule],
  controllers: [CredentialsController],
  providers: [CredentialsService, CredentialVerification, CredentialWarnings, PassiveHealth, KeyCanary],
  exports: [CredentialsService, CredentialWarnings, PassiveHealth, KeyCanary],
})
export class CredentialsModule {}
