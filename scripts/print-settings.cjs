// Prints .env.example and docs/settings.md from the table of settings; needs a build.
require('reflect-metadata');
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { envExample, settingsPage } = require('../dist/libs/config/settings/print-settings.js');

const root = join(__dirname, '..');
writeFileSync(join(root, '.env.example'), envExample());
writeFileSync(join(root, 'docs/settings.md'), settingsPage());
