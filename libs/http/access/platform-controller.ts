import { applyDecorators, Controller } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import { platformPrefix } from '../requests/paths';
import { Access } from './access';

/** A controller of the platform API, for tenant keys and for the platform key on behalf of the tenant in X-Tenant-ID. */
export const PlatformController = (): ClassDecorator =>
  applyDecorators(
    ApiTags('Platform API'),
    ApiHeader({
      name: 'X-Tenant-ID',
      required: false,
      description:
        'The `id` of the tenant that the call is for. The platform key needs it; a tenant key does not.',
      schema: { type: 'string', format: 'uuid' },
    }),
    Access('platform'),
    Controller(platformPrefix),
  );
