import { Inject } from '@nestjs/common';
import { CommandRunner, Help, Option, SubCommand } from 'nest-commander';
import { type Config } from '#config';
import { withDatabase } from './database';
import { exitCodes, exitOnUsage, refuseUsage } from './command-line';

/** Gives the settings as the service would read them. */
export type LoadedConfig = () => Promise<Config>;
export const loadedConfig = Symbol('Config');

interface VerifyOptions {
  readonly head?: string;
  readonly json?: boolean;
}

@SubCommand({
  name: 'verify',
  description:
    'Check that no audit event was edited, moved or removed. Needs the database and ENCRYPTION_KEY.',
})
export class AuditVerifyCommand extends CommandRunner {
  constructor(@Inject(loadedConfig) private readonly configured: LoadedConfig) {
    super();
  }

  override setCommand(command: Parameters<CommandRunner['setCommand']>[0]): this {
    return super.setCommand(command.exitOverride(exitOnUsage));
  }

  async run(words: string[], { head, json = false }: VerifyOptions = {}): Promise<void> {
    if (words.length > 0) refuseUsage(this.command, 'verify takes options only');
    if (head !== undefined && !/^\d+:[\w-]*$/.test(head))
      refuseUsage(this.command, '--head is <number>:<hash>');
    const config = await this.configured();
    // Here and not above: the other commands need not wait for them.
    const { AuditEvent, AuditLogService } = await import('#audit');
    const { FernetService } = await import('#crypto');
    const found = await withDatabase(config, [AuditEvent], (dataSource) =>
      new AuditLogService(dataSource, new FernetService(config.encryptionKeys)).verify(head, (events) => {
        if (process.stderr.isTTY) process.stderr.write(`\r${events} events read`);
      }),
    );
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    if (json) process.stdout.write(`${JSON.stringify(found)}\n`);
    else {
      for (const { seq, fault } of found.faults) process.stdout.write(`event ${seq}: ${fault}\n`);
      const count = found.faults.length;
      const plain = found.plain === undefined ? '' : `${found.plain} of them made without ENCRYPTION_KEY, `;
      process.stdout.write(
        `${found.events} events, ${plain}${count === 1 ? '1 fault' : `${count} faults`}\nhead ${found.head}\n`,
      );
    }
    if (found.faults.length > 0) process.exitCode = exitCodes.faults;
  }

  @Option({
    flags: '--head <head>',
    description:
      'the head that an earlier verification printed, kept elsewhere: it must still be in the chain',
  })
  head(text: string): string {
    return text;
  }

  @Option({ flags: '--json', description: 'print one JSON object' })
  json(): boolean {
    return true;
  }

  @Help('after')
  example(): string {
    return [
      '',
      'Exit code: 0 when all fits, 1 when something does not, 2 for wrong usage, 3 when it could not be found out, as without',
      'a database or with settings that the service would not start with.',
      'With ENCRYPTION_KEY set it also says how many events were made without one: those, from the first on, whoever can write',
      'to the database can make, or put in the place of others.',
      'Keep the head that is printed somewhere else: given back with --head it shows that no newer end was cut off.',
      '',
      'Examples:',
      '  npm run cli -- audit verify',
      '  npm run --silent cli -- audit verify --head 1204:kYc... --json',
    ].join('\n');
  }
}
