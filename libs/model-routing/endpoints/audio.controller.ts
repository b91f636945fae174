import { Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { PlatformController } from '#http';
import { CallEndpoint } from '../call/call-endpoint';
import { PlatformCallService } from '../call/platform-call.service';

@PlatformController()
export class AudioController {
  constructor(private readonly calls: PlatformCallService) {}

  @CallEndpoint('audio/transcriptions', {
    summary: 'Transcribe speech',
    description:
      "OpenAI's format: a form with `file` and `model`. Send `model` first, so that the file is passed to the provider while it arrives. A file that comes before `model` is held in memory until the model is known.",
    required: ['model', 'file'],
    examples: {},
    form: {
      model: { type: 'string', example: 'whisper' },
      file: { type: 'string', format: 'binary' },
      language: { type: 'string', example: 'sv' },
      response_format: { type: 'string', example: 'json' },
    },
    responses: { 'application/json': { text: 'Hello!' }, 'text/plain': 'Hello!' },
  })
  createTranscription(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.handleForm('audio/transcriptions', request, reply);
  }

  @CallEndpoint('audio/translations', {
    summary: 'Translate speech into English',
    description:
      "OpenAI's format, for the transcription models in ai_models.yml whose provider translates. As with transcriptions, send `model` first.",
    required: ['model', 'file'],
    examples: {},
    form: {
      model: { type: 'string', example: 'whisper' },
      file: { type: 'string', format: 'binary' },
      response_format: { type: 'string', example: 'json' },
    },
    responses: { 'application/json': { text: 'Hello!' }, 'text/plain': 'Hello!' },
  })
  createTranslation(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.handleForm('audio/translations', request, reply);
  }

  @CallEndpoint('audio/speech', {
    summary: 'Create speech from a text',
    description: "OpenAI's format. The response is the audio itself, passed on while it arrives.",
    required: ['model', 'input', 'voice'],
    examples: {
      plain: { summary: 'MP3', value: { model: 'gpt-4o-mini-tts', input: 'Hello!', voice: 'alloy' } },
    },
    responses: { 'audio/mpeg': undefined },
  })
  createSpeech(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.handleJson('audio/speech', request, reply);
  }
}
