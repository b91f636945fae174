const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

/**
 * The files of CommonJS packages, which need no transforming: jest then neither hashes nor stores them, a second for each
 * spec file that starts the application. Which packages those are is looked up, since a written list breaks with every update.
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

/** Unit specs stand beside the code, guarantees in test/. Those in a browser and with clients have configurations of their own. */
module.exports = {
  testRegex: '\\.spec\\.ts$',
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/browser/', '<rootDir>/test/clients/'],
  moduleFileExtensions: ['ts', 'mjs', 'cjs', 'js', 'json'],
  transform: { '^.+\\.[cm]?[tj]s$': '<rootDir>/test/support/transform.cjs' },
  transformIgnorePatterns: ['\\.cjs$', commonJsOfPackages()],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.tenkey'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['tenkey-source', 'node', 'node-addons'] },
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testTimeout: 30_000,
  // Of two cores: a good part of the time specs wait, for a provider or a timer.
  maxWorkers: 3,
};
