import { Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { PlatformController } from '#http';
import { PlatformCall } from '../call/call-endpoint';
import { PlatformCallService } from '../call/platform-call.service';

@PlatformController()
export class AudioController {
  constructor(private readonly calls: PlatformCallService) {}

  @PlatformCall('audio/transcriptions', {
    summary: 'Transcription',
    description:
      "OpenAI's format: a form with `file` and `model`. The file passes to the provider while it arrives when `model` stands before it; else it is held in memory until the model is known.",
    required: ['model', 'file'],
    examples: {},
    form: {
      model: { type: 'string', example: 'whisper' },
      file: { type: 'string', format: 'binary' },
      language: { type: 'string', example: 'sv' },
      response_format: { type: 'string', example: 'json' },
    },
    answers: { 'application/json': { text: 'Hello!' }, 'text/plain': 'Hello!' },
  })
  transcribe(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.answerForm('audio/transcriptions', request, reply);
  }

  @PlatformCall('audio/speech', {
    summary: 'Speech',
    description: "OpenAI's format. The answer is the sound itself, passed on while it arrives.",
    required: ['model', 'input', 'voice'],
    examples: {
      plain: { summary: 'MP3', value: { model: 'gpt-4o-mini-tts', input: 'Hello!', voice: 'alloy' } },
    },
    answers: { 'audio/mpeg': undefined },
  })
  speak(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.calls.answer('audio/speech', request, reply);
  }
}
