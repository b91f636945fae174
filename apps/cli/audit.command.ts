import { Command, CommandRunner } from 'nest-commander';
import { AuditVerifyCommand } from './audit-verify.command';
import { exitOnUsage, refuseUsage } from './command-line';

@Command({
  name: 'audit',
  description: 'Look after the record of changes',
  subCommands: [AuditVerifyCommand],
})
export class AuditCommand extends CommandRunner {
  override setCommand(command: Parameters<CommandRunner['setCommand']>[0]): this {
    return super.setCommand(command.exitOverride(exitOnUsage));
  }

  run(): Promise<void> {
    refuseUsage(this.command, 'say what to do with the audit: verify');
  }
}
