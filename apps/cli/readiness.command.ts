import { Inject } from '@nestjs/common';
import { Command, CommandRunner, Help, Option } from 'nest-commander';
import { type ReadinessPage } from '#model-routing';
import { type LoadedConfig, loadedConfig } from './audit-verify.command';
import { exitCodes, exitOnUsage, refuseUsage } from './command-line';
import { withVault } from './services';

interface ReadinessOptions {
  readonly mode?: string;
  readonly json?: boolean;
}

@Command({
  name: 'readiness',
  description:
    'Whose calls fail, or would in strict mode, by tenant and provider. Needs the database; calls and decrypts nothing.',
})
export class ReadinessCommand extends CommandRunner {
  constructor(@Inject(loadedConfig) private readonly configured: LoadedConfig) {
    super();
  }

  override setCommand(command: Parameters<CommandRunner['setCommand']>[0]): this {
    return super.setCommand(command.exitOverride(exitOnUsage));
  }

  async run(words: string[], { mode, json = false }: ReadinessOptions = {}): Promise<void> {
    if (words.length > 0) refuseUsage(this.command, 'readiness takes options only');
    if (mode !== undefined && mode !== 'strict') refuseUsage(this.command, '--mode is strict or left out');
    const config = await this.configured();
    const { ReadinessPageResponse } = await import('#model-routing');
    const isBroken = await withVault(config, async (vault) => {
      const readiness = vault.readiness();
      let breaking = 0;
      let blockers = 0;
      for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
        const page = await readiness.page(mode === 'strict', { limit: 200, cursor });
        const shown = ReadinessPageResponse.of(page);
        // A page is a line, so that many tenants need no memory.
        process.stdout.write(json ? `${JSON.stringify(shown)}\n` : inText(page, isFirst));
        breaking += shown.breaking;
        blockers = page.blockers.length;
        cursor = page.nextCursor ?? undefined;
        if (cursor === undefined && !json) process.stdout.write(summaryOf(page, breaking));
      }
      return breaking > 0 || blockers > 0;
    });
    if (isBroken) process.exitCode = exitCodes.faults;
  }

  @Option({ flags: '--mode <mode>', description: 'strict: what would break if strict mode were switched on' })
  mode(text: string): string {
    return text;
  }

  @Option({ flags: '--json', description: 'print a JSON object for each 200 tenants, a line each' })
  json(): boolean {
    return true;
  }

  @Help('after')
  example(): string {
    return [
      '',
      'Exit code: 0 when nothing breaks, 1 when something does, 2 for wrong usage, 3 when it could not be found out, as',
      'without a database or with settings that the service would not start with: it can gate a deployment.',
      'What breaks: models that work as Tenkey is set up now, and credentials that are there and cannot be used.',
      'A provider for which a tenant has no credential is not used by it and breaks nothing.',
      '',
      'Examples:',
      '  npm run cli -- readiness',
      '  npm run cli -- readiness --mode strict',
      '  npm run --silent cli -- readiness --mode strict --json',
    ].join('\n');
  }
}

function inText({ blockers, rows, warnings, hasReceipts }: ReadinessPage, isFirst: boolean): string {
  const lines = isFirst ? blockers.map((blocker) => `blocked: ${blocker}`) : [];
  if (isFirst && !hasReceipts) {
    lines.push('note: no ENCRYPTION_KEY, so calls get no receipts and the audit is chained by a plain hash');
  }
  for (const { tenant, cells } of rows) {
    for (const { provider, breaking, obstacle } of cells) {
      if (breaking.length === 0 || !obstacle) continue;
      const models = breaking.map(({ name }) => name).join(', ');
      lines.push(`${tenant.name} (${tenant.id}) ${provider.id}: ${obstacle.code}: ${models}`);
      if (obstacle.hint !== undefined) lines.push(`    ${obstacle.hint}`);
    }
  }
  for (const { tenant, provider, mask, expiresAt, withinDays } of warnings) {
    const when =
      withinDays === 0 ? 'has expired' : `expires within ${withinDays} ${withinDays === 1 ? 'day' : 'days'}`;
    const told = tenant.contactEmail === null ? '' : `; tell ${tenant.contactEmail}`;
    lines.push(
      `warning: ${tenant.name} (${tenant.id}) ${provider}: ${mask} ${when}, ${expiresAt.toISOString()}${told}`,
    );
  }
  return lines.map((line) => `${line}\n`).join('');
}

function summaryOf({ mode, currentMode, total, columns }: ReadinessPage, breaking: number): string {
  const counted = `${total} ${total === 1 ? 'tenant' : 'tenants'}, ${columns.size} providers in use`;
  const asked = mode === currentMode ? `${mode} mode` : `${mode} mode (in force: ${currentMode})`;
  return `${counted}, ${asked}: ${breaking === 0 ? 'nothing breaks' : `${breaking} would break`}\n`;
}
