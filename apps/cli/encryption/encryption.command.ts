import { type Command } from 'commander';
import { commandGroup } from '../command-line';
import { type Settings } from '../settings';
import { encryptionAcceptLossCommand } from './encryption-accept-loss.command';
import { encryptionRetireCommand } from './encryption-retire.command';
import { encryptionRotateCommand } from './encryption-rotate.command';
import { encryptionStatusCommand } from './encryption-status.command';

export function encryptionCommand(settings: Settings): Command {
  return commandGroup('encryption', 'Show and replace the key that stored credentials are sealed under.', [
    encryptionStatusCommand(settings),
    encryptionRotateCommand(settings),
    encryptionRetireCommand(settings),
    encryptionAcceptLossCommand(settings),
  ]);
}
