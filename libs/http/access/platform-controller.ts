import { applyDecorators, Controller } from '@nestjs/common';
import { ApiHeader, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { platformPrefix } from '../requests/paths';
import { Access } from './access';

/** A controller of the platform API: opened by a tenant key, or by the platform key on behalf of the tenant in X-Tenant-ID. */
export const PlatformController = (): ClassDecorator =>
  applyDecorators(
    ApiTags('7 Platform API'),
    ApiSecurity('platform-key'),
    ApiSecurity('tenant-key'),
    ApiHeader({
      name: 'X-Tenant-ID',
      required: false,
      description: 'With the platform key: the `id` of the tenant whose key pays. A tenant key needs none.',
      schema: { type: 'string', format: 'uuid' },
    }),
    Access('platform'),
    Controller(platformPrefix),
  );
