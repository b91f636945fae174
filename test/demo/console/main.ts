import 'reflect-metadata';
import { complain, say, step } from '../output';
import { type CleanUp, type Stage } from '../stage';
import { fill, start } from './service';
import { failing } from './usage';

/** Serves the console with made-up data until Ctrl-C. */
async function main(): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    // A second Ctrl-C exits immediately.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const cleanUps: CleanUp[] = [];
  const faults: unknown[] = [];
  try {
    // It is awaited even after a signal, because what it has started must be stopped.
    const stage = await start(cleanUps);
    await Promise.race([show(stage), stopped]);
    await stopped;
  } catch (error) {
    faults.push(error);
  }
  for (const cleanUp of cleanUps.reverse()) await cleanUp().catch((error: unknown) => faults.push(error));
  if (faults.length === 0) return say('\nEverything is stopped and removed.');
  for (const fault of faults) complain(fault);
  process.exit(1);
}

async function show(stage: Stage): Promise<void> {
  const { tenants } = await fill(stage);
  const nameOf = (incident: string) => tenants.find((tenant) => tenant.incident === incident)?.displayName;
  step('The console');
  say(`address   ${stage.base}/`);
  say(`key       ${stage.superKey}`);
  say(`
Look at
  Today     which keys are rejected, missing or unreadable, and which expire soon
  Tenants   all credentials of all tenants; choose the status "rejected"
  ${nameOf('rejected')}: replace the key that the provider refuses; any other key is accepted
  ${nameOf('staged')}: promote the next key.  ${nameOf('previous')}: roll back to the key before
  Usage     ${failing.provider} has failed for ${failing.hours} hours

Ctrl-C stops it and removes everything.`);
}

void main();
