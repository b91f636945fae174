const base = require('./jest.config.cjs');

/**
 * Specs that stop, freeze and kill processes and the database, long explorations, and specs that need other servers. Two at a time,
 * because each waits for a good part of its time; what they measure has bounds that allow for it.
 */
module.exports = {
  ...base,
  roots: ['<rootDir>/test/faults', '<rootDir>/test/deployment'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 300_000,
  maxWorkers: 2,
  reporters: ['default', '<rootDir>/test/faults/fault-table.cjs'],
};
