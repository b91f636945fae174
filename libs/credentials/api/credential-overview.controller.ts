import { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Post, Query, StreamableFile, UseGuards } from '@nestjs/common';
import { ApiAcceptedResponse, ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  Access,
  ApiProblems,
  ChangedBy,
  credentialsPath,
  csvLine,
  jsonOf,
  refuseFields,
  SysadminGrant,
  validated,
} from '#http';
import { TenantsService } from '#tenants';
import { CredentialOverviewService, type OverviewRow } from '../overview/credential-overview.service';
import { type VerificationRun } from '../overview/verification-run.entity';
import { VerificationRunService } from '../overview/verification-run.service';
import {
  CredentialFilterQuery,
  CredentialOverviewQuery,
  CredentialOverviewResponse,
  credentialOverviewResponse,
  decodeOverviewCursor,
  encodeOverviewCursor,
  filterNames,
  OverviewCredentialResponse,
  overviewColumns,
} from './credential-overview.dto';
import { LatestVerificationResponse, VerificationRunResponse, VerifyAllQuery } from './verification-run.dto';
import { knownQuery } from './credential-parameters';
import { FeatureEnabledGuard } from './feature-enabled.guard';

const CSV_PAGE = 5000;

const withoutFields = {
  detail: 'This route accepts no fields: stored keys are verified at their own endpoints.',
  hint: 'Send no body. The query selects which credentials are verified.',
};

/** The credentials of all tenants, and the verification of many of them. */
@ApiTags('Credentials')
@ApiExtraModels(CredentialOverviewResponse)
@Access('sysadmin', 'credentials:write')
@UseGuards(FeatureEnabledGuard)
@ApiProblems('feature_disabled')
@Controller(credentialsPath)
export class CredentialOverviewController {
  constructor(
    private readonly overview: CredentialOverviewService,
    private readonly runs: VerificationRunService,
    private readonly tenants: TenantsService,
  ) {}

  @Get()
  @Access('sysadmin', 'credentials:read', { filtersTenants: true })
  @ApiOperation({
    summary: 'List the credentials of all tenants',
    description:
      'Live and staged credentials, in pages, by the id of the tenant and the provider. A key that is limited to some tenants sees only theirs. No sealed key is read, so this works even if an encryption key is lost.',
  })
  @ApiOkResponse(credentialOverviewResponse)
  async listAllCredentials(
    @Query() rawQuery: CredentialOverviewQuery,
    @SysadminGrant() grant: SysadminGrant,
  ): Promise<CredentialOverviewResponse | StreamableFile> {
    knownQuery(rawQuery, [...filterNames, 'limit', 'cursor', 'format']);
    const query = validated(CredentialOverviewQuery, rawQuery);
    const within = grant.tenantIds ?? undefined;
    const filter = CredentialFilterQuery.filterOf(query);
    const pageAfter = (after: OverviewRow | undefined) =>
      this.overview.page(filter, { within, after, limit: CSV_PAGE });
    if (query.format === 'csv') {
      // The first rows are read before the head is sent, so that an error can have a status.
      const first = await pageAfter(undefined);
      return new StreamableFile(Readable.from(csv(first, pageAfter), { objectMode: false }), {
        type: 'text/csv; charset=utf-8',
        disposition: 'attachment; filename="credentials.csv"',
      });
    }
    const limit = query.limit ?? 100;
    const rows = await this.overview.page(filter, {
      within,
      after: decodeOverviewCursor(query.cursor),
      limit: limit + 1,
    });
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map((row) => OverviewCredentialResponse.of(row)),
      count: page.length,
      next_cursor: rows.length > limit && last ? encodeOverviewCursor(last) : null,
    };
  }

  @Get('verify')
  @Access('sysadmin', 'credentials:read')
  @ApiOperation({
    summary: 'Show the latest verification of many credentials',
    description: 'How far it is, and which credentials are not accepted.',
  })
  @ApiOkResponse({ type: LatestVerificationResponse })
  async getVerification(): Promise<LatestVerificationResponse> {
    const run = await this.runs.latest();
    return { verification: run === undefined ? null : await this.#responseOf(run) };
  }

  @Post('verify')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Verify all credentials that match a filter',
    description: `Asks the providers in the background whether they accept the stored keys, at no cost, at most ten in a second. The results are stored with the credentials. It does not need the client: any process continues a verification whose process was stopped. Follow it with GET ${credentialsPath}/verify.\n\nOnly one can run at a time. A paused one is continued with \`resume=true\`, or replaced by a new one. The audit has one event for its start, and none for each credential.`,
  })
  @ApiAcceptedResponse({ type: VerificationRunResponse })
  @ApiProblems('verification_conflict', 'malformed_request', 'payload_too_large', 'unsupported_media_type')
  async startVerification(
    @Query() rawQuery: VerifyAllQuery,
    @Body() body: unknown,
    @ChangedBy() by: ChangedBy,
  ): Promise<VerificationRunResponse> {
    const query = validated(VerifyAllQuery, rawQuery);
    const isResumed = query.resume === 'true';
    knownQuery(rawQuery, isResumed ? ['resume'] : [...filterNames, 'resume']);
    refuseFields(jsonOf(body), withoutFields);
    const filter = CredentialFilterQuery.filterOf(query);
    const run = isResumed ? await this.runs.resume(by) : await this.runs.start(filter, by);
    this.runs.help();
    return this.#responseOf(run);
  }

  @Post('verify/pause')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Pause the verification of many credentials',
    description: `Credentials that are being verified are still verified. POST ${credentialsPath}/verify?resume=true continues it.`,
  })
  @ApiOkResponse({ type: VerificationRunResponse })
  @ApiProblems('verification_conflict', 'malformed_request', 'payload_too_large', 'unsupported_media_type')
  async pauseVerification(
    @Body() body: unknown,
    @ChangedBy() by: ChangedBy,
  ): Promise<VerificationRunResponse> {
    refuseFields(jsonOf(body), withoutFields);
    return this.#responseOf(await this.runs.pause(by));
  }

  async #responseOf(run: VerificationRun): Promise<VerificationRunResponse> {
    const ids = [...new Set(run.faults.map(({ tenant_id: id }) => id))];
    const tenants = ids.length === 0 ? [] : await this.tenants.findAll(ids, []);
    return VerificationRunResponse.of(run, new Map(tenants.map(({ id, name }) => [id, name])));
  }
}

async function* csv(
  first: readonly OverviewRow[],
  pageAfter: (last: OverviewRow) => Promise<readonly OverviewRow[]>,
): AsyncGenerator<string> {
  yield csvLine(Object.keys(overviewColumns));
  for (let rows = first; ;) {
    const lines = rows.map((row) => {
      const shown = OverviewCredentialResponse.of(row);
      return csvLine(Object.values(overviewColumns).map((cellOf) => cellOf(shown)));
    });
    if (lines.length > 0) yield lines.join('');
    const last = rows.at(-1);
    if (last === undefined || rows.length < CSV_PAGE) return;
    rows = await pageAfter(last);
  }
}
