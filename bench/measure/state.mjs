import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * The results so far, in a file that is written after each measurement, so that a run that is stopped can go on. Results of
 * another version or with other settings do not mix with new ones: a file whose `setting` differs is not used.
 */
export function openState({ file, setting, resume }) {
  const kept = resume && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  const isSame = JSON.stringify(kept?.setting) === JSON.stringify(setting);
  const state = isSame
    ? kept
    : { setting, startedAt: new Date().toISOString(), measurements: {}, processes: {} };
  // These are found out again each time.
  state.missing = {};
  state.excluded = {};
  state.outOfTime = false;
  const save = () => {
    mkdirSync(dirname(file), { recursive: true });
    // A stop in the middle of the write must not cost what was there before.
    writeFileSync(`${file}.new`, JSON.stringify(state, undefined, 1));
    renameSync(`${file}.new`, file);
  };
  Object.defineProperty(state, 'save', { value: save });
  return { state, isOther: kept !== undefined && !isSame };
}
