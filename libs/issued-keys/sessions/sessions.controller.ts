import { Body, Controller, Delete, Get, Header, HttpCode, Post, Req, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import {
  Access,
  ApiProblems,
  ChangedBy,
  clearedSessionCookie,
  jsonOf,
  Problem,
  refuseFields,
  sessionCookie,
  sessionTokenOf,
  SysadminGrant,
  sysadminPrefix,
} from '#http';
import { SessionResponse } from './sessions.dto';
import { SessionsService } from './sessions.service';

/** Signing in to the console and out of it. Any key of the sysadmin API can do that, because a session opens what its key opens. */
@ApiTags('Keys')
@Access('sysadmin', 'any')
@Controller(`${sysadminPrefix}/session`)
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Post()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Sign in: exchange a key for a session',
    description:
      'For the console. The response sets the cookie `tenkey_session`, which no script can read, and which opens what the key opens until the session ends. Changes with it need the header `X-Tenkey-Console: 1`. A session cannot create another one.',
  })
  @ApiCreatedResponse({ type: SessionResponse })
  @ApiProblems('malformed_request', 'payload_too_large', 'unsupported_media_type', 'validation_failed')
  async createSession(
    @Req() { headers, tenkey }: FastifyRequest,
    @Body() body: unknown,
    @SysadminGrant() grant: SysadminGrant,
    @ChangedBy() by: ChangedBy,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SessionResponse> {
    // Otherwise a session could go on for ever.
    if (grant.session !== undefined) {
      throw new Problem('forbidden', {
        detail: 'A session cannot create a session.',
        hint: 'Send the key in X-API-Key.',
      });
    }
    refuseFields(jsonOf(body), { detail: 'This route accepts no fields.', hint: 'Send no body.' });
    const origin =
      grant.kind === 'super'
        ? { superKey: String(headers['x-api-key']) }
        : { sysadminKeyId: grant.sysadminKeyId };
    const { token, expiresAt, maxAgeSeconds } = await this.sessions.create(origin, by);
    reply.header('set-cookie', sessionCookie(tenkey.publicUrl, token, maxAgeSeconds));
    return SessionResponse.of(grant, expiresAt);
  }

  @Get()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Show who is signed in',
    description: 'With a session or a key: what it opens. Scopes and tenants are those of the key now.',
  })
  @ApiOkResponse({ type: SessionResponse })
  getSession(@SysadminGrant() grant: SysadminGrant): SessionResponse {
    return SessionResponse.of(grant, grant.session?.expiresAt ?? null);
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Sign out: end the session',
    description:
      'After the response, no Tenkey process accepts the session. Its cookie is removed. It is harmless without a session.',
  })
  @ApiNoContentResponse({ description: 'Ended.' })
  async deleteSession(
    @Req() request: FastifyRequest,
    @SysadminGrant() grant: SysadminGrant,
    @ChangedBy() by: ChangedBy,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    // Next to a key, the cookie was not looked up. Its session must not stay open when the browser forgets it.
    const { session } = grant.session
      ? grant
      : ((await this.sessions.grant(sessionTokenOf(request) ?? '')) ?? grant);
    if (session !== undefined) await this.sessions.remove(session.id, by);
    reply.header('set-cookie', clearedSessionCookie(request.tenkey.publicUrl));
  }
}
