const base = require('./jest.config.cjs');

/**
 * Specs that stop, freeze and kill processes and the database, long explorations, and specs that need other servers. One at a
 * time: they measure times.
 */
module.exports = {
  ...base,
  roots: ['<rootDir>/test/faults', '<rootDir>/test/deployment'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 300_000,
  maxWorkers: 1,
  reporters: ['default', '<rootDir>/test/faults/fault-table.cjs'],
};
