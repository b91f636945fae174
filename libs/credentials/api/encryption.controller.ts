import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, ApiProblems, ChangedBy, jsonOf, refuseFields, sysadminPrefix } from '#http';
import { EncryptionStatusService } from '../rotation/encryption-status.service';
import { RotationService } from '../rotation/rotation.service';
import { EncryptionResponse, RotationResponse } from './encryption.dto';

const withoutFields = {
  detail: 'This route accepts no fields: a rotation seals under ENCRYPTION_KEY.',
  hint: 'Send no body.',
};

/** Which encryption keys are in use, and the rotation that seals everything under ENCRYPTION_KEY. */
@ApiTags('Encryption')
@Access('sysadmin', 'encryption:rotate')
@Controller(`${sysadminPrefix}/encryption`)
export class EncryptionController {
  constructor(
    private readonly encryption: EncryptionStatusService,
    private readonly rotation: RotationService,
  ) {}

  @Get()
  @Access('sysadmin', ['encryption:rotate', 'readiness:read'])
  @ApiOperation({
    summary: 'Show the encryption keys and the latest rotation',
    description:
      'Each key is named by its fingerprint, with how many rows are sealed under it and how many processes have it. `npx tenkey encryption status` shows the same.',
  })
  @ApiOkResponse({ type: EncryptionResponse })
  async getEncryption(): Promise<EncryptionResponse> {
    return EncryptionResponse.of(await this.encryption.status(), await this.rotation.latest());
  }

  @Post('rotation')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Seal all stored credentials under ENCRYPTION_KEY',
    description: `Starts a rotation in the background, or continues the one that is paused. Calls and changes go on. Credentials keep their versions, and one that is set meanwhile keeps what was set. Any process continues a rotation whose process was stopped. Follow it with GET ${sysadminPrefix}/encryption.\n\nIt is refused while a running process does not have the new key.`,
  })
  @ApiAcceptedResponse({ type: RotationResponse })
  @ApiProblems('rotation_conflict', 'malformed_request', 'payload_too_large', 'unsupported_media_type')
  async startRotation(@Body() body: unknown, @ChangedBy() by: ChangedBy): Promise<RotationResponse> {
    refuseFields(jsonOf(body), withoutFields);
    const started = await this.rotation.start(by);
    this.rotation.help();
    return RotationResponse.of(started);
  }

  @Post('rotation/pause')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Pause the rotation',
    description: `What was sealed stays sealed under the new key, so keep both keys loaded. POST ${sysadminPrefix}/encryption/rotation continues the rotation.`,
  })
  @ApiOkResponse({ type: RotationResponse })
  @ApiProblems('rotation_conflict', 'malformed_request', 'payload_too_large', 'unsupported_media_type')
  async pauseRotation(@Body() body: unknown, @ChangedBy() by: ChangedBy): Promise<RotationResponse> {
    refuseFields(jsonOf(body), withoutFields);
    return RotationResponse.of(await this.rotation.pause(by));
  }
}
