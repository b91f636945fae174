import { isUtf8 } from 'node:buffer';
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { CatalogueError } from './catalogue-finding';

/** Enough for about a thousand models. It also limits the time of a reload, which blocks the thread that serves calls. */
const maxBytes = 512 * 1024;
const lineFeed = 0x0a;

/** The path of the `ai_models.yml` that is shipped. Works for the sources and for dist/. */
export function shippedModelsFile(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'apps', 'api', 'ai_models.yml');
}

/**
 * Reads the text of a catalogue file, without its byte order mark.
 * @throws CatalogueError
 */
export function readCatalogueText(file: string): string {
  const fault = (reason: string, line?: number) =>
    new CatalogueError([{ severity: 'fault', file, line, reason }]);
  let bytes: Buffer;
  try {
    // Check this before opening the file: opening a pipe would block the thread.
    if (!statSync(file).isFile()) throw fault('this is not a file. Set AI_MODELS_FILE to a model file.');
    bytes = readBounded(file);
  } catch (error) {
    if (error instanceof CatalogueError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const known = code !== undefined && code in constants.errno ? ` (${code})` : '';
    throw fault(`the model file cannot be read${known}. Set AI_MODELS_FILE to a readable file.`);
  }
  if (bytes.length > maxBytes) throw fault('the model file is larger than 512 KiB');
  if (bytes.length >= 2 && (bytes.readUInt16BE(0) === 0xfeff || bytes.readUInt16BE(0) === 0xfffe)) {
    throw fault('the model file is UTF-16; save it as UTF-8', 1);
  }
  if (!isUtf8(bytes)) throw fault('this line is not UTF-8; save the file as UTF-8', lineOfBadByte(bytes));
  // TextDecoder removes the byte order mark.
  return new TextDecoder().decode(bytes);
}

/** Reads at most one byte more than the limit, whatever size the file system reports. */
function readBounded(file: string): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

function lineOfBadByte(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const end = bytes.indexOf(lineFeed, start);
    if (!isUtf8(bytes.subarray(start, end < 0 ? bytes.length : end))) break;
    start = end < 0 ? bytes.length : end + 1;
  }
  return line;
}
