const base = require('./jest.config.cjs');

/** Specs with the clients that applications use, from test/clients/node_modules. */
module.exports = {
  ...base,
  roots: ['<rootDir>/test/clients'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 60_000,
};
