import { type Readable, type Writable } from 'node:stream';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { Problem } from '#http';

const MAXIMUM_FIELDS = 100;
/** Fields and files. Each part costs time, even if it is empty. */
const MAXIMUM_PARTS = 200;
const MAXIMUM_FIELD_BYTES = 1024 * 1024;
const MAXIMUM_HEADER_BYTES = 16 * 1024;
/** Servers differ in how they read any other name: a backslash may escape the quote that ends it, and hide where another one begins. */
const plainName = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** The parts of all operations that are files. */
const fileNames = /^(file|image|mask)(\[\])?$/;
/** What a part that has no filename may be; anything else would be damaged if it were read as text. */
const textTypes = /^(text\/|application\/(.+\+)?(json|xml)$|application\/x-www-form-urlencoded$)/;

/** A part of a form that is a text. */
export interface FormField {
  readonly name: string;
  readonly value: string;
  readonly type: string;
}

/** A part of a form that is a file. */
export interface FormFile {
  readonly name: string;
  readonly filename: string;
  readonly type: string;
  readonly content: Readable;
}

/** Receives the parts of a form. The next part may be reported while a file is still being read. */
interface PartReceiver {
  field(field: FormField): void;
  /** The parser waits until its content is read. */
  file(file: FormFile): void;
  end(): void;
  /** May be called more than once. */
  fail(problem: Problem): void;
}

/**
 * Parses a multipart/form-data body (RFC 7578), and refuses what providers could read in another way.
 * @throws Problem malformed_request when the content type has no boundary
 */
export function formParser(contentType: string, receiver: PartReceiver): Writable {
  const parser = busboyOf(contentType);
  parser.on('field', (name: string | undefined, value, isNameCut, isValueCut, _encoding, type) => {
    if (!isPlain(name)) return receiver.fail(unusualName());
    if (isNameCut || isValueCut) return receiver.fail(malformed('A field is too long.'));
    if (fileNames.test(name)) return receiver.fail(noFilename(name));
    receiver.field({ name, value, type });
  });
  parser.on('file', (name: string | undefined, content, filename, _encoding, type) => {
    content.on('error', () => undefined);
    const fault = faultOfFile(name, filename);
    if (fault !== undefined) {
      content.resume();
      return receiver.fail(fault);
    }
    // The parser's word for a part without a type. A sound or an image is never text.
    const fileType = type === 'text/plain' ? 'application/octet-stream' : type;
    receiver.file({ name: name!, filename, type: fileType, content });
  });
  const tooMany = (most: number, what: string) => () =>
    receiver.fail(malformed(`The form has more than ${most} ${what}.`));
  parser.on('fieldsLimit', tooMany(MAXIMUM_FIELDS, 'fields'));
  parser.on('partsLimit', tooMany(MAXIMUM_PARTS, 'parts'));
  parser.on('finish', () => receiver.end());
  parser.on('error', () => receiver.fail(malformed('The form cannot be read.')));
  return parser;
}

function busboyOf(contentType: string) {
  const headers: BusboyHeaders = { 'content-type': contentType };
  const limits = {
    fields: MAXIMUM_FIELDS,
    parts: MAXIMUM_PARTS,
    fieldSize: MAXIMUM_FIELD_BYTES,
    headerSize: MAXIMUM_HEADER_BYTES,
  };
  const isPartAFile = (_: string | undefined, type: string | undefined, filename: string | undefined) =>
    filename !== undefined || (type !== undefined && !textTypes.test(type));
  try {
    return new Busboy({ headers, limits, isPartAFile });
  } catch {
    throw malformed('The content type has no boundary.');
  }
}

function faultOfFile(name: string | undefined, filename: string): Problem | undefined {
  if (!isPlain(name)) return unusualName();
  if (name === 'model') return malformed('model must be a field and not a file.');
  return filename ? undefined : noFilename(name);
}

/** Undefined: the part has no name. */
function isPlain(name: string | undefined): name is string {
  return name !== undefined && plainName.test(name);
}

export function malformed(detail: string): Problem {
  return new Problem('malformed_request', { detail });
}

function unusualName(): Problem {
  return malformed('The name of each part of the form must be visible ASCII without quotes and backslashes.');
}

/** Providers take a part without a filename for text. */
function noFilename(name: string): Problem {
  return new Problem('validation_failed', {
    detail: 'A part of the form is a file without a filename.',
    hint: 'Write `filename="..."`, with the extension of the file, in its Content-Disposition.',
    param: fileNames.test(name) ? name : undefined,
  });
}
