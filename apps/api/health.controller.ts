import { Controller, Get, HttpStatus, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { DataSource } from 'typeorm';
import { ChangesService } from '#cache';
import { type Config, InjectConfig } from '#config';
import { SealingKeyService } from '#credentials';
import { addressNames, isDatabaseUnavailable, outageOf, within } from '#database';
import { Access, hooks, Problem } from '#http';
import { ModelCatalogue } from '#model-routing';
import { HealthResponse, ReadyResponse } from './health.dto';
import { notReady, readyStateOf } from './ready-state';

/** How long the database may take. A probe gives up after a second or more. */
const CHECK_MS = 800;

@ApiTags('Health')
@Access('public')
@Controller()
export class HealthController {
  constructor(
    @InjectConfig() private readonly config: Config,
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly sealingKey: SealingKeyService,
    private readonly catalogue: ModelCatalogue,
    private readonly changes: ChangesService,
    private readonly running: hooks.RunningRequests,
  ) {}

  @Get('health')
  @ApiOperation({
    summary: 'Check that the process is alive',
    description: 'Checks nothing else, not even the database.',
  })
  @ApiOkResponse({ type: HealthResponse })
  getHealth(): HealthResponse {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({
    summary: 'Check that calls can be served',
    description:
      'Checks the database, the encryption keys and the catalogue, and shows only counts and fingerprints.',
  })
  @ApiOkResponse({ type: ReadyResponse })
  @ApiServiceUnavailableResponse({
    type: ReadyResponse,
    description: 'Not ready; `reason` says why, and what to do.',
  })
  async getReadyState(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadyResponse> {
    if (this.running.isStopping) {
      reply.status(HttpStatus.SERVICE_UNAVAILABLE);
      return notReady(this.config, this.catalogue, 'Tenkey is stopping. Send no further requests to it.');
    }
    const fault = this.changes.storageFault;
    const known: Omit<ReadyResponse, 'status' | 'database'> = {
      ...readyStateOf(this.config, this.catalogue),
      changes: fault === undefined ? 'ok' : 'failing',
      ...(fault !== undefined && {
        changes_reason: `${fault.reason} Changes and usage records cannot be stored. ${fault.fix}`,
      }),
    };
    try {
      const check = await within(CHECK_MS, this.sealingKey.check());
      if (check === undefined) throw new Error('timeout expired before the database responded');
      // Single-tenant mode uses no stored credential, so a missing encryption key does not matter.
      const isReady = check.isReady || !this.config.tenantCredentialsEnabled;
      if (!isReady) reply.status(HttpStatus.SERVICE_UNAVAILABLE);
      return {
        status: isReady ? 'ready' : 'not_ready',
        database: 'ok',
        encryption_keys: check.missingKeys.length === 0 ? 'ok' : 'missing',
        ...known,
        missing_keys: check.missingKeys,
        ...(check.reason && { reason: check.reason }),
      };
    } catch (error) {
      reply.status(HttpStatus.SERVICE_UNAVAILABLE);
      const isUnavailable = isDatabaseUnavailable(error);
      // For the log line of this request. A probe that disconnects earlier needs no second line.
      request.tenkey.problem = Problem.of(error);
      return {
        status: 'not_ready',
        database: isUnavailable ? 'unavailable' : 'failed',
        ...known,
        changes: 'failing',
        reason: isUnavailable
          ? reasonOf(error, this.config.databaseSetting)
          : 'The database returned an error. The log has its text.',
      };
    }
  }
}

function reasonOf(error: unknown, setting: Config['databaseSetting']): string {
  const outage = outageOf(error);
  if (outage !== undefined) return `${outage.reason} ${outage.fix}`;
  return `The database cannot be reached. Check ${addressNames(setting).hostAndPort}, and that PostgreSQL is running.`;
}
