const base = require('./jest.config.cjs');

/** Specs in a real browser, /usr/bin/chromium. */
module.exports = {
  ...base,
  roots: ['<rootDir>/test/browser'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 120_000,
  maxWorkers: 1,
};
