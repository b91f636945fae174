import { Command } from 'commander';
import { jsonOption } from './command-line';
import { type Settings } from './settings';

interface MigrateOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function migrateCommand(settings: Settings): Command {
  return new Command('migrate')
    .description(
      'Migrate the database to the schema of this version, as a start of the service does. Waits while another process migrates it.',
    )
    .option('--dry-run', 'only list the migrations that would run')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Make a backup first: a migration cannot be undone. Each one is a transaction, so one that
fails leaves nothing behind.

Examples:
  npx tenkey migrate --dry-run
  npx tenkey migrate`,
    )
    .action(async ({ dryRun = false, json = false }: MigrateOptions) => {
      const config = await settings.load();
      const { migrate } = await import('./migrate.js');
      const { pending, done } = await migrate(config, dryRun, (message) => {
        if (!json) process.stdout.write(`${message}\n`);
      });
      if (json) process.stdout.write(`${JSON.stringify({ pending, done })}\n`);
      else if (dryRun) process.stdout.write(pending.map((name) => `${name} is pending\n`).join(''));
      if (!json && pending.length === 0 && done.length === 0)
        process.stdout.write('There is nothing to migrate.\n');
    });
}
