import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { envExample, settingsPage } from './print-settings';

it.each([
  ['.env.example', envExample],
  ['docs/settings.md', settingsPage],
])('%s is what `npm run settings` prints from the table of settings', (file, print) => {
  expect(readFileSync(join(__dirname, '../../..', file), 'utf8')).toBe(print());
});
