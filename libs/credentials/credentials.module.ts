import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantsModule } from '#tenants';
import { CredentialHealth } from './credential-health.entity';
import { CredentialReplacementController } from './credential-replacement.controller';
import { CredentialReplacement } from './credential-replacement.service';
import { CredentialSlot } from './credential-slot.entity';
import { CredentialSlots } from './credential-slots.service';
import { CredentialVerification } from './credential-verification.service';
import { CredentialWarnings } from './credential-warnings.service';
import { CredentialsController } from './credentials.controller';
import { CredentialsService } from './credentials.service';
import { KeyCanary } from './key-canary';
import { PassiveHealth } from './passive-health.service';
import { PreviousSweep } from './previous-sweep.service';
import { TenantCredential } from './tenant-credential.entity';

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
