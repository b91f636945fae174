import { Controller, Get } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type DataSource } from 'typeorm';
import { CacheService, readProcesses } from '#cache';
import { EncryptionStatusService } from '#credentials';
import { Access, sysadminPrefix } from '#http';
import { ProcessListResponse, ProcessResponse } from './processes.dto';

@ApiTags('Readiness')
@Access('sysadmin', 'readiness:read')
@Controller(`${sysadminPrefix}/processes`)
export class ProcessesController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cache: CacheService,
    private readonly encryption: EncryptionStatusService,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'List the processes of Tenkey on this database',
    description:
      'Each with its lease, whether it still renews its registration, and which encryption keys it has. A process that is stopped is not listed; one that was killed is listed as silent until a change or another process removes it, within about 15 seconds after its lease. It reads one table, and waits for no process.',
  })
  @ApiOkResponse({ type: ProcessListResponse })
  async listProcesses(): Promise<ProcessListResponse> {
    const sealingKeyId = await this.encryption.sealingKeyId();
    const processes = await readProcesses(this.dataSource.manager);
    const items = processes.map((each) => ProcessResponse.of(each, this.cache.processes.ownId, sealingKeyId));
    return { items, count: items.length };
  }
}
