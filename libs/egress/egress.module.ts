import { type DynamicModule, Module } from '@nestjs/common';
import { AddressPolicy } from './address/address-policy';
import { type EgressOptions, EgressService } from './egress.service';

/** The composition root registers this module once and passes the options, because this library reads no configuration. */
@Module({})
export class EgressModule {
  static register(options: EgressOptions): DynamicModule {
    return {
      module: EgressModule,
      global: true,
      providers: [
        { provide: AddressPolicy, useFactory: () => new AddressPolicy(options) },
        {
          provide: EgressService,
          inject: [AddressPolicy],
          useFactory: (policy: AddressPolicy) => new EgressService(options, policy),
        },
      ],
      exports: [AddressPolicy, EgressService],
    };
  }
}
