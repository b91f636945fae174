import { Command } from 'commander';
import { counted, exitCodes, jsonOption } from './command-line';
import { csvOf, csvOption, jsonLine, visible } from './output';
import { type Settings } from './settings';

interface VerifyOptions {
  readonly head?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
}

export function auditVerifyCommand(settings: Settings): Command {
  return new Command('verify')
    .description(
      'Check that no audit event was edited, moved or removed. Removed newest events show only with --head. Needs the database, and the ENCRYPTION_KEY of the service if it has one.',
    )
    .option('--head <head>', 'a head that an earlier run printed, which must still be in the chain')
    .addOption(jsonOption())
    .addOption(csvOption())
    .addHelpText(
      'after',
      `
With ENCRYPTION_KEY, the command also counts the events that were recorded without a key. Anyone who can write to the
database can forge or replace those events.
Keep the printed head outside the database. With --head, a later run checks that no newest events have been removed.

Examples:
  npx tenkey audit verify
  npx tenkey audit verify --head 1204:kYc... --json`,
    )
    .action(async ({ head, json = false, csv = false }: VerifyOptions, command: Command) => {
      if (head !== undefined && !/^\d+:[\w-]*$/.test(head)) {
        command.error('error: --head must have the form <number>:<hash>');
      }
      const config = await settings.load();
      const { AuditEvent, AuditLogService, countAuditFaults, describeAuditFault } = await import('#audit');
      const { FormerKey, loadFormerKeys } = await import('#credentials');
      const { FernetService } = await import('#crypto');
      const { withDatabase } = await import('./database.js');
      const verification = await withDatabase(config, [AuditEvent, FormerKey], async (dataSource) => {
        const fernet = new FernetService(config.encryptionKeys);
        // A key whose signing keys cannot be opened is among the faults.
        await loadFormerKeys(dataSource, fernet);
        return new AuditLogService(dataSource, fernet).verify(head, (events) => {
          if (process.stderr.isTTY) process.stderr.write(`\r${events} events read`);
        });
      });
      if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
      if (json) process.stdout.write(jsonLine(verification));
      else if (csv) {
        const rows = verification.faults.map(({ seq, last, events = 1, fault }) => [
          seq,
          last ?? seq,
          events,
          fault,
        ]);
        process.stdout.write(await csvOf([['first', 'last', 'events', 'fault'], ...rows]));
        process.stderr.write(`head ${verification.head}\n`);
      } else {
        const { events, faults, plain, expired } = verification;
        for (const fault of faults) process.stdout.write(`${visible(describeAuditFault(fault))}\n`);
        const withoutKey = plain === undefined ? '' : `${plain} of them recorded without ENCRYPTION_KEY, `;
        const older =
          expired === undefined ? '' : `${expired} older ones deleted because of AUDIT_RETENTION_DAYS, `;
        const count = counted(countAuditFaults(faults), 'fault');
        process.stdout.write(`${events} events, ${older}${withoutKey}${count}\nhead ${verification.head}\n`);
      }
      if (verification.faults.length > 0) process.exitCode = exitCodes.fault.code;
    });
}
