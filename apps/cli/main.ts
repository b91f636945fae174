#!/usr/bin/env node
import 'reflect-metadata';
import { runCommandLine } from './run-command-line';

// What reads the output may stop early, as `head` does. That is no fault of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

void runCommandLine(process.env, process.cwd());
