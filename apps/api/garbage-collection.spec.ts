import { execFileSync } from 'node:child_process';
import { flags } from './garbage-collection';

describe('the flags for the garbage collection', () => {
  // V8 ignores a flag that it does not know, so that a new version of Node could drop one unnoticed.
  it.each(flags)('%s exists in this version of Node', (flag) => {
    const name = flag.replace(/^--(no-)?/, '').replace(/=.*/, '');
    expect(execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })).toContain(`--${name} (`);
  });
});
