import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantsModule } from '#tenants';
import { CredentialHealth } from './rows/credential-health.entity';
import { CredentialReplacementController } from './api/credential-replacement.controller';
import { CredentialReplacement } from './replacement/credential-replacement.service';
import { CredentialSlot } from './rows/credential-slot.entity';
import { CredentialSlots } from './rows/credential-slots.service';
import { CredentialVerification } from './health/credential-verification.service';
import { CredentialWarnings } from './health/credential-warnings.service';
import { CredentialsController } from './api/credentials.controller';
import { CredentialsService } from './credentials.service';
import { KeyCanary } from './key-canary';
import { PassiveHealth } from './health/passive-health.service';
import { PreviousSweep } from './replacement/previous-sweep.service';
import { TenantCredential } from './rows/tenant-credential.entity';

@Module({
  imports: [TypeOrmModule.forFeature([TenantCredential, CredentialSlot, CredentialHealth]), TenantsModule],
  controllers: [CredentialsController, CredentialReplacementController],
  providers: [
    CredentialsService,
    CredentialSlots,
    CredentialReplacement,
    CredentialVerification,
    CredentialWarnings,
    PassiveHealth,
    PreviousSweep,
    KeyCanary,
  ],
  exports: [CredentialsService, CredentialSlots, CredentialWarnings, PassiveHealth, KeyCanary],
})
export class CredentialsModule {}
