import { type ServedModel, startTenkeyForClients, type TenkeyForClients } from '../support/served-models';

export {
  anthropic,
  azure,
  azureV1,
  chatModels,
  mistral,
  openai,
  type ServedModel,
  vllm,
} from '../support/served-models';

export interface Tenkey extends TenkeyForClients {
  /** Expects that the last request was for this model, with this tenant's key, at this address. */
  expectSeen(served: ServedModel): void;
}

/** Tenkey for the tests of the surrounding `describe`. The recorded requests of the provider are cleared before each test. */
export function tenkeyOfSpec(): Tenkey {
  const tenkey = {} as Tenkey;
  beforeAll(async () => {
    const expectSeen = ({ path, key, upstreamModel }: ServedModel) =>
      expect(tenkey.provider.requests.at(-1)).toMatchObject({ path, key, body: { model: upstreamModel } });
    Object.assign(tenkey, await startTenkeyForClients(), { expectSeen });
  });
  beforeEach(() => tenkey.provider.reset());
  afterAll(() => tenkey.close());
  return tenkey;
}
