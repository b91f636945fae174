import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Problem } from '#http';
import { MultipartForm } from './multipart-form';

const boundary = 'XX';
type Part = { name?: string; head?: string; value: string };
const formOf = (parts: Part[], end = true) =>
  parts
    .map(
      ({ name, head, value }) =>
        `--${boundary}\r\nContent-Disposition: form-data; ${head ?? `name="${name}"`}\r\n\r\n${value}\r\n`,
    )
    .join('') + (end ? `--${boundary}--\r\n` : '');
const file = (value: string): Part => ({
  head: `name="file"; filename="a.wav"\r\nContent-Type: audio/wav`,
  value,
});
const open = (body: string | Buffer, pieceBytes = 1 << 20, maximum = 1 << 20) => {
  const bytes = Buffer.from(body);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  return MultipartForm.open(Readable.from(pieces), `multipart/form-data; boundary=${boundary}`, maximum);
};
/** The form as a server would read it. */
async function read(
  form: MultipartForm,
  model: string,
  differences = {},
  onDropped: (name: string) => void = () => undefined,
): Promise<[string, string][]> {
  const { contentType, content } = form.withModel(model, differences, onDropped);
  const bytes = await text(content as Readable);
  const response = new Response(bytes, { headers: { 'content-type': contentType } });
  const entries: [string, string][] = [];
  for (const [name, value] of await response.formData()) {
    entries.push([
      name,
      typeof value === 'string' ? value : `${value.name} ${value.type} ${await value.text()}`,
    ]);
  }
  return entries;
}
const problemOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => (error as Problem).code,
  );

describe('a form that passes through', () => {
  const audio = 'RIFF\r\n--X\r\n\u00e9'.repeat(50);
  it.each([1, 7, 1 << 20])(
    'keeps every part and the order, except for the model, in pieces of %i bytes',
    async (size) => {
      for (const parts of [
        [{ name: 'model', value: 'ours' }, file(audio), { name: 'language', value: 'sv' }],
        [{ name: 'prompt', value: 'å"b' }, { name: 'model', value: 'ours' }, file(audio)],
      ]) {
        const form = await open(formOf(parts), size);
        expect(form.model).toBe('ours');
        expect(await read(form, 'theirs')).toEqual(
          parts.map((part) => {
            if (part.head !== undefined) return ['file', `a.wav audio/wav ${part.value}`];
            return [part.name, part.name === 'model' ? 'theirs' : part.value];
          }),
        );
      }
    },
  );

  it('sends a file that came before the model last', async () => {
    const fields = [
      { name: 'model', value: 'ours' },
      { name: 'language', value: 'sv' },
    ];
    const form = await open(formOf([file(audio), ...fields]), 100);
    expect((await read(form, 'theirs')).map(([name]) => name)).toEqual(['model', 'language', 'file']);
  });

  it('passes the file on while it arrives when the model came first', async () => {
    const source = new Readable({ read: () => undefined });
    const opening = MultipartForm.open(source, `multipart/form-data; boundary=${boundary}`, 1 << 20);
    source.push(formOf([{ name: 'model', value: 'ours' }], false));
    source.push(
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n${'a'.repeat(1000)}`,
    );
    const form = await opening;
    const content = form.withModel('theirs', {}, () => undefined).content as Readable;
    let seen = '';
    content.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    await new Promise((done) => setTimeout(done, 20));
    expect(seen).toMatch(/theirs[^]*a{500}/);
    source.push(`\r\n--${boundary}--\r\n`);
    source.push(null);
    await new Promise((done) => content.once('end', done));
  });

  it('reads the model in every spelling of its header, and sends it in one', async () => {
    for (const head of ['name=model', 'NAME="model"']) {
      const form = await open(formOf([{ head, value: 'ours' }]));
      expect(form.model).toBe('ours');
      expect(await read(form, 'theirs')).toContainEqual(['model', 'theirs']);
    }
  });

  it('does not let the name of a file add another header or part', async () => {
    const head = 'name="file"; filename="a%22\\"; name=\\"model"';
    const form = await open(
      formOf([
        { name: 'model', value: 'ours' },
        { head, value: 'v' },
      ]),
    );
    expect((await read(form, 'theirs')).map(([each]) => each)).toEqual(['model', 'file']);
  });

  it.each([
    ['no model', formOf([file('a')]), 'validation_failed'],
    ['an empty model', formOf([{ name: 'model', value: '' }]), 'validation_failed'],
    ['nothing', '', 'malformed_request'],
    ['no closing boundary', formOf([file('a')], false), 'malformed_request'],
    [
      'a model that may be a file',
      formOf([{ head: 'filename*=x; name="model"', value: 'x' }]),
      'malformed_request',
    ],
    ['a model as a file', formOf([{ head: 'name="model"; filename="m"', value: 'x' }]), 'malformed_request'],
    ['too many fields', formOf(Array<Part>(101).fill({ name: 'a', value: 'b' })), 'malformed_request'],
    ['too many files', formOf(Array<Part>(201).fill(file(''))), 'malformed_request'],
    [
      'too many parts that are nothing',
      `--${boundary}\r\nX: y\r\n\r\n\r\n`.repeat(201) + formOf([]),
      'malformed_request',
    ],
    // A server that reads `\\"` as a quote within the name finds a second name behind it, and takes the part for the model.
    [
      'a name that ends in a backslash',
      formOf([{ head: 'name="a\\\\"; filename="; name=model; z="', value: 'x' }]),
      'malformed_request',
    ],
    ['a quote in a name', formOf([{ head: 'name="a\\"b"', value: 'x' }]), 'malformed_request'],
    ['a name that is not ASCII', formOf([{ name: 'modèl', value: 'x' }]), 'malformed_request'],
    ['a field without a name', formOf([{ head: 'x="y"', value: 'x' }]), 'malformed_request'],
    ['a file without a name', formOf([{ head: 'filename="y"', value: 'x' }]), 'malformed_request'],
    [
      'a field that is too long',
      formOf([{ name: 'a', value: 'b'.repeat(1024 * 1024 + 1) }]),
      'malformed_request',
    ],
  ])('with %s is refused', async (_what, body, code) => {
    expect(await problemOf(open(body, 1 << 20, 1 << 22))).toBe(code);
  });

  it('with a content type that has no boundary is refused', async () => {
    const source = Readable.from([Buffer.from('x')]);
    expect(await problemOf(MultipartForm.open(source, 'multipart/form-data', 100))).toBe('malformed_request');
  });

  it.each([
    ['a second model', [{ name: 'model', value: 'x' }], true, 'malformed_request'],
    ['more bytes than allowed', [file('a'.repeat(5000))], true, 'payload_too_large'],
    ['no closing boundary', [file('a')], false, 'malformed_request'],
  ])('fails the call when the model is followed by %s', async (_what, more, end, code) => {
    const form = await open(formOf([{ name: 'model', value: 'ours' }, ...more], end), 50, 3000);
    expect(await problemOf(text(form.withModel('theirs', {}, () => undefined).content as Readable))).toBe(
      code,
    );
  });

  it.each([[0], [1], [4]])(
    'renames fields, and leaves out those that the provider refuses, with the model at position %i',
    async (at) => {
      const parts: Part[] = [
        { name: 'prompt', value: 'p' },
        { name: 'language', value: 'sv' },
        { name: 'include[]', value: 'logprobs' },
        file('a'),
      ];
      parts.splice(at, 0, { name: 'model', value: 'ours' });
      const differences = { renamed: { language: 'lang' }, unsupported: ['prompt', 'include'] };
      const dropped: string[] = [];
      const entries = await read(await open(formOf(parts), 9), 'theirs', differences, (name) =>
        dropped.push(name),
      );
      expect(Object.fromEntries(entries)).toEqual({ model: 'theirs', lang: 'sv', file: 'a.wav audio/wav a' });
      expect(dropped).toEqual(['prompt', 'include[]']);
    },
  );

  it.each([[0], [1]])('fails the call when a field is refused, with the model at position %i', async (at) => {
    const parts: Part[] = [{ name: 'prompt', value: 'p' }];
    parts.splice(at, 0, { name: 'model', value: 'ours' });
    const form = await open(formOf(parts));
    const refuse = () => {
      throw new Problem('parameter_not_supported');
    };
    const call = async () =>
      text(form.withModel('theirs', { unsupported: ['prompt'] }, refuse).content as Readable);
    expect(await problemOf(call())).toBe('parameter_not_supported');
  });

  it('that is malformed does not stop the process when the call is refused before the form is read', async () => {
    const form = await open(
      formOf([{ name: 'model', value: 'ours' }, ...Array<Part>(101).fill({ name: 'a', value: 'b' })]),
    );
    const { content } = form.withModel('theirs', {}, () => undefined);
    form.discard();
    await new Promise((done) => setTimeout(done, 20));
    expect((content as Readable).errored).toMatchObject({ code: 'malformed_request' });
  });
});
