/**
 * Runs one command line of the compiled CLI after the other, for runCli in cli.ts. The libraries are loaded only once, which takes
 * longer than most commands. For the command the process looks like a new one: its arguments, environment, exit code and
 * output are its own.
 */
require('reflect-metadata');
const { runCommandLine } = require('../../dist/apps/cli/run-command-line.js');

/** Ends a command that calls process.exit(). */
class Exited extends Error {}

process.on('message', async ({ id, words, env }) => {
  process.argv = [process.execPath, 'dist/apps/cli/main.js', ...words];
  process.env = env;
  process.exitCode = undefined;
  const output = { stdout: '', stderr: '' };
  let code;
  for (const name of ['stdout', 'stderr']) {
    process[name].write = (text) => {
      // After process.exit() a process prints nothing.
      if (code === undefined) output[name] += text;
      return true;
    };
  }
  process.exit = (given) => {
    code ??= given ?? process.exitCode ?? 0;
    throw new Exited();
  };
  await runCommandLine(process.env, process.cwd());
  process.send({ id, code: code ?? process.exitCode ?? 0, ...output });
});
