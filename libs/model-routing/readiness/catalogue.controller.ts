import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, sysadminPrefix } from '#http';
import { ModelCatalogue } from '../catalogue/model-catalogue';
import { CatalogueResponse } from './catalogue.dto';

/**
 * The model catalogue in force. Both scopes already show it in part, the one as the models of a tenant and the other as the models of
 * each provider, so each opens it. It is about no tenant.
 */
@ApiTags('Readiness')
@Access('sysadmin', ['credentials:read', 'readiness:read'], { filtersTenants: true })
@Controller(`${sysadminPrefix}/models`)
export class CatalogueController {
  constructor(private readonly catalogue: ModelCatalogue) {}

  @Get()
  @ApiOperation({
    summary: 'List the models of the catalogue',
    description:
      'The model catalogue that is in force in the process that responds, and whether it is that of the file. Whether a tenant can call a model is explained by the models of that tenant.',
  })
  @ApiOkResponse({ type: CatalogueResponse })
  listCatalogueModels(): CatalogueResponse {
    return CatalogueResponse.of(this.catalogue);
  }
}
