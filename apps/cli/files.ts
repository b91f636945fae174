import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { Refusal } from './command-line';

/**
 * The text of a file that an option or a variable names, without white space around it.
 * @param source the option or variable
 * @throws Error that does not contain the path, in whose place a secret may have been given by mistake
 */
export function textOfFile(path: string, source: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? (error as Error).name;
    throw new Error(`${source} must be the path of a file that can be read (${code})`, { cause: error });
  }
}

/** How an input is named in texts. @param path of a file; `-` is the standard input */
export function nameOfInput(path: string): string {
  return path === '-' ? 'stdin' : path;
}

/** A file that a command makes. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/**
 * Whether the file is there already, with exactly this text, because the command was run before.
 * @throws Refusal when it has another text
 */
export function isWritten({ path, text }: NewFile): boolean {
  let present: string;
  try {
    present = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw notWritten(path, error);
  }
  if (present === text) return true;
  throw new Refusal(`${path} exists and is not overwritten; give another name, or remove it first`);
}

/**
 * Writes the file as a whole or not at all: the finished text is linked into place, which never replaces a file that another
 * process has made meanwhile.
 * @returns false when it was there already
 * @throws Refusal
 */
export function writeNewFile(file: NewFile): boolean {
  if (isWritten(file)) return false;
  const { path, text, mode } = file;
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(draft, text, { mode, flag: 'wx', flush: true });
  } catch (error) {
    throw notWritten(path, error);
  }
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return !isWritten(file);
    throw notWritten(path, error);
  } finally {
    unlinkSync(draft);
  }
}

function notWritten(path: string, error: unknown): Refusal {
  return new Refusal(
    `${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`,
  );
}
