import 'reflect-metadata';
import { complain, say, stopAtSignal } from './output';
import { tell } from './scenes';
import { type CleanUp, setUp } from './stage';

const models =
  '- { name: gpt-4o, litellm_model_name: openai/gpt-4o }\n' +
  '- { name: claude-sonnet, litellm_model_name: anthropic/claude-sonnet-4-5 }';

/** Shows two tenants, one model and two keys with a local provider, and checks each step. */
async function main(): Promise<void> {
  // A second Ctrl-C exits immediately.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stopAtSignal);
  const cleanUps: CleanUp[] = [];
  const faults: unknown[] = [];
  try {
    await tell(await setUp(cleanUps, { models }));
  } catch (error) {
    faults.push(error);
  }
  for (const cleanUp of cleanUps.reverse()) await cleanUp().catch((error: unknown) => faults.push(error));
  if (faults.length === 0) return say('\nThe demo succeeded. Everything is stopped and removed.');
  for (const fault of faults) complain(fault);
  process.exit(1);
}

void main();
