const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

/**
 * Matches the files of CommonJS packages, which need no transforming: jest then neither hashes nor stores them, which saves
 * a second for each spec file that starts the application. The packages are looked up, since a written list would break with
 * every update.
 */
function commonJsOfPackages() {
  const folder = join(__dirname, 'node_modules');
  const names = readdirSync(folder).flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(folder, name)).map((inner) => `${name}/${inner}`) : [name],
  );
  const modules = names.filter((name) => {
    const manifest = join(folder, name, 'package.json');
    return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).type === 'module';
  });
  const escaped = (text) => text.replace(/[.+*?()[\]{}^$|\\]/g, '\\$&');
  const others = `(?!.*/node_modules/)(?!(?:${modules.map(escaped).join('|')})/)`;
  return `^${escaped(folder)}/${others}.*\\.js$`;
}

/** Unit specs are next to the code, guarantees in test/. Specs in a browser, with clients, with faults and with other servers have their own configurations. */
module.exports = {
  testRegex: '\\.spec\\.ts$',
  testPathIgnorePatterns: [
    '/node_modules/',
    '<rootDir>/test/browser/',
    '<rootDir>/test/clients/',
    '<rootDir>/test/deployment/',
    '<rootDir>/test/faults/',
  ],
  moduleFileExtensions: ['ts', 'mjs', 'cjs', 'js', 'json'],
  transform: { '^.+\\.[cm]?[tj]s$': '<rootDir>/test/support/transform.cjs' },
  transformIgnorePatterns: ['\\.cjs$', commonJsOfPackages()],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.tenkey', '/\\.venv/'],
  runtime: '<rootDir>/test/support/runtime.cjs',
  testEnvironment: '<rootDir>/test/support/environment.cjs',
  testEnvironmentOptions: { customExportConditions: ['tenkey-source', 'node', 'node-addons'] },
  globalSetup: '<rootDir>/test/support/global-setup.cjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testSequencer: '<rootDir>/test/support/longest-first.cjs',
  testTimeout: 30_000,
  // Four workers for two cores, because specs wait for a provider or a timer for a good part of their time.
  maxWorkers: 4,
};
