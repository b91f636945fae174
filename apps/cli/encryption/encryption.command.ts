import { commandGroup } from '../command-line';
import { EncryptionAcceptLossCommand } from './encryption-accept-loss.command';
import { EncryptionRetireCommand } from './encryption-retire.command';
import { EncryptionRotateCommand } from './encryption-rotate.command';
import { EncryptionStatusCommand } from './encryption-status.command';

export const EncryptionCommand = commandGroup({
  name: 'encryption',
  description: 'Show and replace the key that stored credentials are sealed under.',
  subCommands: [
    EncryptionStatusCommand,
    EncryptionRotateCommand,
    EncryptionRetireCommand,
    EncryptionAcceptLossCommand,
  ],
});

export const encryptionCommands = [
  EncryptionCommand,
  EncryptionStatusCommand,
  EncryptionRotateCommand,
  EncryptionRetireCommand,
  EncryptionAcceptLossCommand,
];
