import { applyDecorators, Controller } from '@nestjs/common';
import { ApiHeader, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { Access } from '#http';

/** A controller of the platform API: opened by the platform key, on behalf of the tenant in X-Tenant-ID. */
export const PlatformController = (): ClassDecorator =>
  applyDecorators(
    ApiTags('4 Platform API'),
    ApiSecurity('platform-key'),
    ApiHeader({
      name: 'X-Tenant-ID',
      required: true,
      description: 'The `id` of the tenant whose key pays.',
      schema: { type: 'string', format: 'uuid' },
    }),
    Access('platform'),
    Controller('v1'),
  );
