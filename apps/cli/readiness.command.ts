import { Command } from 'commander';
import { type ReadinessPage } from '#model-routing';
import { exitCodes, jsonOption } from './command-line';
import { type Settings } from './settings';

interface ReadinessOptions {
  readonly mode?: string;
  readonly json?: boolean;
}

export function readinessCommand(settings: Settings): Command {
  return new Command('readiness')
    .description(
      'List the tenants and providers whose calls fail, or would fail in strict mode. Needs the database; calls no provider and decrypts nothing.',
    )
    .option('--mode <mode>', 'strict: report what would break in strict mode')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
A model breaks if it works with the current settings and would fail in the reported mode, or if it has a credential
that cannot be used. A tenant without a credential for a provider does not use that provider, so nothing breaks.
With --json, each line is a JSON object for up to 200 tenants.
The exit code is 1 if something breaks, so that a deployment can depend on it.

Examples:
  npx tenkey readiness
  npx tenkey readiness --mode strict
  npx tenkey readiness --mode strict --json`,
    )
    .action(async ({ mode, json = false }: ReadinessOptions, command: Command) => {
      if (mode !== undefined && mode !== 'strict') command.error('error: --mode must be strict');
      const config = await settings.load();
      const { ReadinessPageResponse } = await import('#model-routing');
      const { withServices } = await import('./services.js');
      const hasFaults = await withServices(config, async (services) => {
        const readiness = services.readiness();
        let breaking = 0;
        let blockers = 0;
        for (
          let cursor: string | undefined, isFirst = true;
          isFirst || cursor !== undefined;
          isFirst = false
        ) {
          const page = await readiness.page(mode === 'strict', { limit: 200, cursor });
          const response = ReadinessPageResponse.of(page);
          // Each page is printed at once, so that any number of tenants fits in memory.
          process.stdout.write(json ? `${JSON.stringify(response)}\n` : inText(page, isFirst));
          breaking += response.breaking;
          blockers = page.blockers.length;
          cursor = page.nextCursor ?? undefined;
          if (cursor === undefined && !json) process.stdout.write(summaryOf(page, breaking));
        }
        return breaking > 0 || blockers > 0;
      });
      if (hasFaults) process.exitCode = exitCodes.fault.code;
    });
}

function inText({ blockers, rows, warnings, hasReceipts }: ReadinessPage, isFirst: boolean): string {
  const lines = isFirst ? blockers.map((blocker) => `blocked: ${blocker}`) : [];
  if (isFirst && !hasReceipts) {
    lines.push('note: no ENCRYPTION_KEY, so calls get no receipts and the audit chain has plain hashes');
  }
  for (const { tenant, cells } of rows) {
    for (const { provider, breaking, problem, warnings: surprises } of cells) {
      lines.push(
        ...surprises.map((text) => `warning: ${tenant.name} (${tenant.id}) ${provider.id}: ${text}`),
      );
      if (breaking.length === 0 || !problem) continue;
      const models = breaking.map(({ name }) => name).join(', ');
      lines.push(`${tenant.name} (${tenant.id}) ${provider.id}: ${problem.code}: ${models}`);
      if (problem.hint !== undefined) lines.push(`    ${problem.hint}`);
    }
  }
  for (const { tenant, provider, mask, expiresAt, withinDays } of warnings) {
    const expiry =
      withinDays === 0 ? 'has expired' : `expires within ${withinDays} ${withinDays === 1 ? 'day' : 'days'}`;
    const contact = tenant.contactEmail === null ? '' : `; contact ${tenant.contactEmail}`;
    lines.push(
      `warning: ${tenant.name} (${tenant.id}) ${provider}: ${mask} ${expiry}, ${expiresAt.toISOString()}${contact}`,
    );
  }
  return lines.map((line) => `${line}\n`).join('');
}

function summaryOf({ mode, currentMode, total, columns }: ReadinessPage, breaking: number): string {
  const counts = `${total} ${total === 1 ? 'tenant' : 'tenants'}, ${columns.size} providers in use`;
  const modes = mode === currentMode ? `${mode} mode` : `${mode} mode (current: ${currentMode})`;
  return `${counts}, ${modes}: ${breaking === 0 ? 'nothing breaks' : `${breaking} ${breaking === 1 ? 'pair' : 'pairs'} of tenant and provider would break`}\n`;
}
