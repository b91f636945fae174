import { join } from 'node:path';
import { auditActions } from '#audit';

it('the console has words for exactly the actions that are recorded', async () => {
  // The path is no literal, because the console is compiled on its own, as modules for browsers.
  const { actionGroups } = await import(join(__dirname, '../apps/console/src/parts/audit/actions'));
  const shown = Object.values<object>(actionGroups).flatMap((group) => Object.keys(group));
  expect(shown.sort()).toEqual([...auditActions].sort());
});
