import { isUtf8 } from 'node:buffer';
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { CatalogueError } from './catalogue-finding';

/** A kind of file, as findings speak of it. */
export interface TextFile {
  /** `model` for `the model file`. */
  readonly noun: string;
  readonly maxKiB: number;
  /** How to choose another file, as the beginning of a sentence. */
  readonly choose: string;
}

/** Enough for about a thousand models. It also limits the time of a reload, which blocks the thread that serves calls. */
const modelFile: TextFile = {
  noun: 'model',
  maxKiB: 512,
  choose: 'Set AI_MODELS_FILE to',
};
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
  return readText(file, modelFile);
}

/** What is wrong with the size of a catalogue; undefined if nothing is. */
export function faultOfSize(bytes: number, { noun, maxKiB }: TextFile = modelFile): string | undefined {
  return bytes > maxKiB * 1024 ? `the ${noun} file is larger than ${maxKiB} KiB` : undefined;
}

/**
 * Reads the text of a file of UTF-8, without its byte order mark.
 * @throws CatalogueError
 */
export function readText(file: string, kind: TextFile): string {
  const { noun, maxKiB, choose } = kind;
  const fault = (reason: string, line?: number) =>
    new CatalogueError([{ severity: 'fault', file, line, reason }]);
  let bytes: Buffer;
  try {
    // Check this before opening the file: opening a pipe would block the thread.
    if (!statSync(file).isFile()) throw fault(`this is not a file. ${choose} a ${noun} file.`);
    bytes = readBounded(file, maxKiB * 1024);
  } catch (error) {
    if (error instanceof CatalogueError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const known = code !== undefined && code in constants.errno ? ` (${code})` : '';
    throw fault(`the ${noun} file cannot be read${known}. ${choose} a readable file.`);
  }
  const tooLarge = faultOfSize(bytes.length, kind);
  if (tooLarge !== undefined) throw fault(tooLarge);
  if (bytes.length >= 2 && (bytes.readUInt16BE(0) === 0xfeff || bytes.readUInt16BE(0) === 0xfffe)) {
    throw fault(`the ${noun} file is UTF-16; save it as UTF-8`, 1);
  }
  if (!isUtf8(bytes)) throw fault('this line is not UTF-8; save the file as UTF-8', lineOfBadByte(bytes));
  // TextDecoder removes the byte order mark.
  return new TextDecoder().decode(bytes);
}

/** Reads at most one byte more than the limit, whatever size the file system reports. */
function readBounded(file: string, maxBytes: number): Buffer {
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
