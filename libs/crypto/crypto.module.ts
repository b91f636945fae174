import { type DynamicModule, Module } from '@nestjs/common';
import { FernetService, type KeyRing } from './fernet.service';

/** The application module imports it once, with the key ring, because this library reads no configuration. */
@Module({})
export class CryptoModule {
  static register(ring: KeyRing): DynamicModule {
    return {
      module: CryptoModule,
      global: true,
      providers: [{ provide: FernetService, useFactory: () => new FernetService(ring) }],
      exports: [FernetService],
    };
  }
}
