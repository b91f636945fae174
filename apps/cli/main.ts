#!/usr/bin/env node
import 'reflect-metadata';
import { runCommandLine } from './run-command-line';

// What reads the output may stop early, as `head` does. That is no fault of the command, which goes on without output: it may be
// in the middle of a change.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.stdout.write = () => true;
});

void runCommandLine(process.env, process.cwd());
