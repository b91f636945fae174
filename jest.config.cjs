/** Unit specs stand beside the code, guarantees in test/. Those in a browser and with clients have configurations of their own. */
module.exports = {
  testRegex: '\\.spec\\.ts$',
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/browser/', '<rootDir>/test/clients/'],
  moduleFileExtensions: ['ts', 'mjs', 'cjs', 'js', 'json'],
  transform: { '^.+\\.[cm]?[tj]s$': '<rootDir>/test/support/transform.cjs' },
  transformIgnorePatterns: ['\\.cjs$'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.tenkey'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['tenkey-source', 'node', 'node-addons'] },
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testTimeout: 30_000,
  // Of two cores: a good part of the time specs wait, for a provider or a timer.
  maxWorkers: 3,
};
