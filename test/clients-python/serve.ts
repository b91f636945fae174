// Starts Tenkey and a local provider for the tests of this folder, prints what their clients need as a line of JSON, and
// then answers each line of standard input, `[command, argument]`, with a line of JSON. It stops when its input ends, so that
// it never outlives the tests.
/// <reference types="jest" /> The build compiles test/support/app.ts with this file.
import { createInterface } from 'node:readline';
import globalSetup from '../support/global-setup';
import globalTeardown from '../support/global-teardown';
import { superKey } from '../support/app';
import { type NextAnswer } from '../support/provider-server';
import * as servedModels from '../support/served-models';
import { chunksOfChat, eventsOfMessage } from '../support/streamed-answers';

/** How many characters, less one, the pieces of a streamed text have. */
const sizes = [3, 5, 1];

async function main(): Promise<void> {
  await globalSetup();
  const tenkey = await servedModels.startTenkeyForClients();
  const { origin, provider, tenantKey } = tenkey;
  const { openai, azure, azureV1, vllm, mistral, anthropic } = servedModels;
  print({
    origin,
    provider: provider.url,
    tenant_key: tenantKey,
    super_key: superKey,
    headers: { dated: tenkey.headers('dated'), v1: tenkey.headers('v1') },
    models: { openai, azure, azure_v1: azureV1, vllm, mistral, anthropic },
  });
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, argument] = JSON.parse(line) as [string, unknown];
    print(answerTo(command, argument));
  }
  await tenkey.close();
  await globalTeardown();

  function answerTo(command: string, argument: unknown): unknown {
    switch (command) {
      case 'next':
        return provider.next(argument as NextAnswer);
      case 'nextStreamedMessage':
        return provider.next({ chunks: eventsOfMessage(argument as object, sizes).map(textOf) });
      case 'nextStreamedChat':
        return provider.next({ chunks: chunksOfChat(argument as object, sizes, true).map(textOf) });
      case 'rejectKey':
        return provider.rejectKey(argument as string);
      case 'requests':
        return provider.requests;
      case 'reset':
        return provider.reset();
      default:
        throw new Error(`there is no command ${command}`);
    }
  }
}

function textOf({ event, data }: { event?: string; data: string }): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`;
}

function print(answer: unknown): void {
  process.stdout.write(`${JSON.stringify(answer ?? null)}\n`);
}

void main();
