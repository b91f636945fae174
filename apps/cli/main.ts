import 'reflect-metadata';
import { runCommandLine } from './run-command-line';

void runCommandLine(process.env, process.cwd());
