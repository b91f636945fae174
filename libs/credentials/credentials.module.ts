import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '#cache';
import { TenantsModule, TenantsService } from '#tenants';
import { credentialEntities } from './entities';
import { CredentialOverviewController } from './api/credential-overview.controller';
import { CredentialOverviewService } from './overview/credential-overview.service';
import { CredentialCountsService } from './health/credential-counts.service';
import { CredentialReplacementController } from './api/credential-replacement.controller';
import { CredentialReplacementService } from './replacement/credential-replacement.service';
import { CredentialSlotsService } from './rows/credential-slots.service';
import { CredentialVerificationService } from './health/credential-verification.service';
import { CredentialWarningsService } from './health/credential-warnings.service';
import { CredentialsController } from './api/credentials.controller';
import { CredentialsService } from './credentials.service';
import { ProvidersController } from './provider-list/providers.controller';
import { EncryptionController } from './api/encryption.controller';
import { EncryptionStatusService } from './rotation/encryption-status.service';
import { SealingKeyService } from './rotation/sealing-key.service';
import { PassiveHealthService } from './health/passive-health.service';
import { VerificationRunService } from './overview/verification-run.service';
import { RotationService } from './rotation/rotation.service';
import { PreviousSweepService } from './replacement/previous-sweep.service';
import { credentialRemoval } from './rows/provider-slots';

@Module({
  imports: [TypeOrmModule.forFeature([...credentialEntities]), CacheModule, TenantsModule],
  controllers: [
    CredentialsController,
    CredentialReplacementController,
    CredentialOverviewController,
    EncryptionController,
    ProvidersController,
  ],
  providers: [
    CredentialsService,
    CredentialSlotsService,
    CredentialReplacementService,
    CredentialVerificationService,
    CredentialWarningsService,
    CredentialCountsService,
    PassiveHealthService,
    PreviousSweepService,
    SealingKeyService,
    EncryptionStatusService,
    RotationService,
    CredentialOverviewService,
    VerificationRunService,
  ],
  exports: [
    CredentialsService,
    CredentialSlotsService,
    CredentialWarningsService,
    PassiveHealthService,
    SealingKeyService,
    EncryptionStatusService,
    CredentialCountsService,
  ],
})
export class CredentialsModule {
  constructor(tenants: TenantsService) {
    tenants.onRemoval(credentialRemoval);
  }
}
