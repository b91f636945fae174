import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { CommandFactory } from 'nest-commander';
import { GenerateEncryptionKeyCommand } from './generate-encryption-key.command';

@Module({ providers: [GenerateEncryptionKeyCommand] })
class CliModule {}

void CommandFactory.run(CliModule, { logger: false, cliName: 'tenkey' });
