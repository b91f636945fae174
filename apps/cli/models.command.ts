import { Command, CommandRunner } from 'nest-commander';
import { ModelsCheckCommand } from './models-check.command';
import { exitOnUsage, refuseUsage } from './command-line';

@Command({
  name: 'models',
  description: 'The model file, ai_models.yml.',
  subCommands: [ModelsCheckCommand],
})
export class ModelsCommand extends CommandRunner {
  override setCommand(command: Parameters<CommandRunner['setCommand']>[0]): this {
    return super.setCommand(command.exitOverride(exitOnUsage));
  }

  run(words: string[]): Promise<void> {
    return refuseUsage(
      this.command,
      words.length === 0 ? 'a command is missing' : 'there is no such command',
    );
  }
}
