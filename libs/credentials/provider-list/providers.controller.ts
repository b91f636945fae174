import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Config, InjectConfig } from '#config';
import { Access, sysadminPrefix } from '#http';
import { ProviderRegistry } from '#providers';
import { ProviderListResponse, ProviderResponse } from './providers.dto';

/** The providers that a credential can be set for. It is about no tenant, so a key that is limited to some may read it. */
@ApiTags('Credentials')
@Access('sysadmin', 'credentials:read', { filtersTenants: true })
@Controller(`${sysadminPrefix}/providers`)
export class ProvidersController {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly providers: ProviderRegistry,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'List the providers',
    description:
      'All that a form for a credential needs: the fields that a PUT accepts and their rules, which come from the definitions that validate it, the operations that each provider offers, and how long a replaced credential is kept. It works in both modes.',
  })
  @ApiOkResponse({ type: ProviderListResponse })
  listProviders(): ProviderListResponse {
    return {
      providers: this.providers.all.map((provider) =>
        ProviderResponse.of(provider, this.config.endpointOf(provider)),
      ),
      rollback_hours: this.config.credentialRollbackHours,
    };
  }
}
