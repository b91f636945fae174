import { randomUUID } from 'node:crypto';
import { PassThrough, type Readable } from 'node:stream';
import { type RequestBody } from '#egress';
import { Problem } from '#http';
import { type RequestDifferences } from '#providers';
import { type FormField, type FormFile, formParser, malformed } from './form-parser';

/**
 * A multipart/form-data request (RFC 7578) that passes through Tenkey. It is read up to its `model`, and the rest is passed on
 * while it arrives. Parts that come before the model are held in memory.
 *
 * The form is encoded again, part by part, and not copied. So the provider reads the same model as Tenkey did, however oddly
 * the client wrote it.
 */
export class MultipartForm {
  readonly #boundary = `tenkey-${randomUUID()}`;
  /** The parts up to and including the model. */
  readonly #held: (Buffer | FormField)[] = [];
  readonly #heldFiles: Buffer[] = [];
  /** The parts after the model. */
  readonly #rest = new PassThrough();
  #model: string | undefined;
  /** The model in the address of the request, until the form's own was read. */
  #namedModel: string | undefined;
  /** Resumes reading after the model. */
  #resume: () => void = () => undefined;
  #edit: (field: FormField) => FormField | undefined = (field) => field;
  /** The first fault; a fault after the model fails the body that is being sent. */
  #fault: Problem | undefined;
  #receivedBytes = 0;

  private constructor() {}

  /**
   * Resolves when the field `model` has been read, or at once if the address of the request names the model.
   * @param maximumBytes the limit for the whole request
   * @param model the name in the address, which replaces the field
   * @throws Problem malformed_request, payload_too_large, validation_failed
   */
  static open(
    source: Readable,
    contentType: string,
    maximumBytes: number,
    model?: string,
  ): Promise<MultipartForm> {
    const form = new MultipartForm();
    form.#namedModel = model;
    return new Promise((resolve, reject) => form.#read(source, contentType, maximumBytes, resolve, reject));
  }

  /** The bytes of the client's request that have arrived. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** The model that the client requested. */
  get model(): string {
    return this.#model ?? '';
  }

  /**
   * The form for the provider, with the provider's name of the model. Can be sent only once.
   * @param differences fields that have another name at the provider, or that it refuses
   * @param onDropped called with the name of each field that is left out; throws a Problem to refuse the call
   * @param check called with each field of the client; throws a Problem to refuse the call
   */
  withModel(
    name: string,
    differences: RequestDifferences,
    onDropped: (name: string) => void,
    check: (name: string, value: string) => void = () => undefined,
  ): RequestBody {
    const body = new PassThrough();
    // The call may be refused before the body is read, and an error without a listener stops the process.
    body.on('error', () => undefined);
    if (this.#fault !== undefined) body.destroy(this.#fault);
    this.#edit = (field) => {
      if (field.name === 'model') return { ...field, value: name };
      check(field.name, field.value);
      const renamed = differences.renamed?.[field.name];
      // OpenAI's clients write a list as `name[]`.
      if (differences.unsupported?.includes(field.name.replace(/\[\]$/, '')) === true) {
        onDropped(field.name);
        return undefined;
      }
      return renamed === undefined ? field : { ...field, name: renamed };
    };
    // Send files that came before the model last: some providers require that order.
    for (const part of this.#held.splice(0)) {
      if (Buffer.isBuffer(part)) this.#heldFiles.push(part);
      else body.write(this.#encoded(part));
    }
    this.#resume();
    this.#rest.once('error', (error) => body.destroy(error));
    body.once('close', () => this.#rest.destroy());
    this.#rest.pipe(body);
    return { contentType: `multipart/form-data; boundary=${this.#boundary}`, content: body };
  }

  /** Frees a form that will not be sent. */
  discard(): void {
    this.#held.length = 0;
    this.#heldFiles.length = 0;
    this.#rest.destroy();
  }

  #read(
    source: Readable,
    contentType: string,
    maximumBytes: number,
    resolve: (form: MultipartForm) => void,
    reject: (problem: Problem) => void,
  ): void {
    const fail = (problem: Problem) => {
      if (this.#fault !== undefined) return;
      this.#fault = problem;
      source.unpipe(parser);
      source.resume();
      reject(problem);
      // Fail the sending of the rest. It may not have started, so the error needs a listener here.
      this.#rest.once('error', () => undefined).destroy(problem);
    };
    // Parts are handled in order. A part waits while the file before it is still being read, because the parser may report
    // the next part earlier; and it waits after the model until the destination of the form is known.
    const waiting: (() => void)[] = [];
    let isPaused = false;
    const resume = () => {
      isPaused = false;
      while (!isPaused && waiting.length > 0) waiting.shift()?.();
    };
    this.#resume = resume;
    const decide = (model: FormField) => {
      this.#held.push(model);
      this.#model = model.value;
      isPaused = true;
      resolve(this);
    };
    const inOrder = (step: () => void) => {
      if (this.#fault !== undefined) return;
      if (isPaused) waiting.push(step);
      else step();
    };
    const field = (field: FormField) =>
      inOrder(() => {
        if (field.name !== 'model') {
          try {
            return void this.#write(field);
          } catch (problem) {
            return fail(problem as Problem);
          }
        }
        if (this.#namedModel !== undefined) {
          this.#namedModel = undefined;
          return;
        }
        if (this.#model !== undefined) return fail(malformed('The form has model twice. Send it once.'));
        if (field.value === '') return fail(noModel());
        decide(field);
      });
    const file = ({ name, type, filename, content }: FormFile) =>
      inOrder(() => {
        isPaused = true;
        this.#write(this.#head(name, type, filename));
        content.on('data', (chunk: Buffer) => {
          if (this.#write(chunk)) return;
          content.pause();
          this.#rest.once('drain', () => content.resume());
        });
        content.once('end', () => {
          this.#write(Buffer.from('\r\n'));
          resume();
        });
      });
    const end = () =>
      inOrder(() => {
        if (this.#model === undefined) return fail(noModel());
        for (const part of this.#heldFiles.splice(0)) this.#rest.write(part);
        this.#rest.end(`--${this.#boundary}--\r\n`);
      });
    const parser = formParser(contentType, { field, file, end, fail });
    source.on('data', (chunk: Buffer) => {
      this.#receivedBytes += chunk.length;
      if (this.#receivedBytes > maximumBytes) fail(new Problem('payload_too_large'));
    });
    for (const event of ['error', 'aborted']) {
      source.once(event, (error?: Error) =>
        fail(error instanceof Problem ? error : malformed('The body is incomplete.')),
      );
    }
    // Read and drop the rest of the request when sending has stopped, so that the client is not left waiting.
    this.#rest.once('close', () => {
      source.unpipe(parser);
      source.resume();
    });
    if (this.#namedModel !== undefined)
      decide({ name: 'model', value: this.#namedModel, type: 'text/plain' });
    source.pipe(parser);
  }

  /** @returns false when the provider reads more slowly than the client sends */
  #write(part: Buffer | FormField): boolean {
    if (this.#model === undefined) {
      this.#held.push(part);
      return true;
    }
    return this.#rest.destroyed || this.#rest.write(Buffer.isBuffer(part) ? part : this.#encoded(part));
  }

  #encoded(field: FormField): Buffer {
    const edited = this.#edit(field);
    if (edited === undefined) return Buffer.alloc(0);
    const head = this.#head(edited.name, edited.type === 'text/plain' ? undefined : edited.type);
    return Buffer.concat([head, Buffer.from(`${edited.value}\r\n`)]);
  }

  #head(name: string, type?: string, filename?: string): Buffer {
    const file = filename === undefined ? '' : `; filename="${escaped(filename)}"`;
    const typeLine = type === undefined ? '' : `\r\nContent-Type: ${type.replace(/[^\x20-\x7e]/g, '')}`;
    return Buffer.from(
      `--${this.#boundary}\r\nContent-Disposition: form-data; name="${name}"${file}${typeLine}\r\n\r\n`,
    );
  }
}

/** Escapes the name of a file as browsers do (WHATWG HTML, multipart/form-data encoding algorithm). */
function escaped(text: string): string {
  return text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** The problem of a request without a model. */
export function noModel(): Problem {
  return new Problem('validation_failed', {
    detail: 'model must be the name of a model.',
    hint: 'GET /v1/models lists the names.',
    param: 'model',
  });
}
