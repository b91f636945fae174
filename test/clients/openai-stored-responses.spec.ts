import OpenAI from 'openai';
import { azure, azureV1, openai, type ServedModel, tenkeyOfSpec } from './tenkey';

describe('the openai client', () => {
  const tenkey = tenkeyOfSpec();

  const clientFor = (tenant: ServedModel['tenant']) =>
    new OpenAI({
      apiKey: 'not-read-by-tenkey',
      baseURL: `${tenkey.origin}/v1`,
      defaultHeaders: tenkey.headers(tenant),
      maxRetries: 0,
    });

  describe.each([openai, azure, azureV1])('and a stored response of $title', (served) => {
    const client = () => clientFor(served.tenant);
    const request = { model: served.model, input: 'good morning' };

    it('retrieves and continues it, lists its input, and deletes it', async () => {
      const made = await client().responses.create(request);
      const next = await client().responses.create({ ...request, previous_response_id: made.id });
      expect(next.output_text).toBe('echo: good morning (after: echo: good morning)');
      expect(
        (await client().responses.retrieve(made.id, { include: ['reasoning.encrypted_content'] }))
          .output_text,
      ).toBe('echo: good morning');
      const items = [];
      for await (const item of client().responses.inputItems.list(made.id, { order: 'asc' }))
        items.push(item);
      expect(items).toMatchObject([{ type: 'message', content: 'good morning' }]);
      await client().responses.delete(made.id);
      await expect(client().responses.retrieve(made.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    });

    it('waits for one in the background, reads it as a stream, or cancels it', async () => {
      let response = await client().responses.create({ ...request, background: true });
      expect(response.status).toBe('queued');
      while (response.status === 'queued' || response.status === 'in_progress')
        response = await client().responses.retrieve(response.id);
      expect(response.output_text).toBe('echo: good morning');

      const streamed = await client().responses.create({ ...request, background: true });
      const types: string[] = [];
      for await (const event of await client().responses.retrieve(streamed.id, {
        stream: true,
        starting_after: 2,
      }))
        types.push(event.type);
      expect([types[0], types.at(-1)]).toEqual(['response.output_item.added', 'response.completed']);

      const other = await client().responses.create({ ...request, background: true });
      expect((await client().responses.cancel(other.id)).status).toBe('cancelled');
    });

    it('does not find one of another tenant', async () => {
      const made = await client().responses.create(request);
      const stranger = clientFor(served.tenant === 'v1' ? 'dated' : 'v1');
      for (const attempt of [
        () => stranger.responses.retrieve(made.id),
        () => stranger.responses.delete(made.id),
        () => stranger.responses.cancel(made.id),
        async () => await stranger.responses.inputItems.list(made.id),
      ])
        await expect(attempt()).rejects.toMatchObject({
          status: 404,
          code: 'object_not_found',
          param: 'response_id',
        });
    });
  });
});
