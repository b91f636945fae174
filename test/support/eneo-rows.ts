import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const eneoFixture = (name: string): string =>
  readFileSync(join(__dirname, '..', 'fixtures', name), 'utf8');

interface PythonToken {
  readonly key: string;
  readonly plaintext: string;
  readonly token: string;
}

export const pythonTokens = JSON.parse(eneoFixture('python-fernet-tokens.json')) as {
  readonly valid: readonly PythonToken[];
  readonly invalid: readonly { readonly token: string }[];
};

/** The token whose plaintext begins like this. */
export const madeOf = (start: string): PythonToken =>
  pythonTokens.valid.find(({ plaintext }) => plaintext.startsWith(start))!;

/** Encryption keys of Eneo: the one that seals in Tenkey as well, four that Tenkey has loaded, and one that only the import gets. */
export const eneoKeys = {
  current: madeOf('sk-proj'),
  oneCharacter: madeOf('x'),
  longest: madeOf('aaaa'),
  notAscii: madeOf('åäö'),
  spaces: madeOf('  spaces'),
  old: madeOf('{"json'),
};

/**
 * What must be stored after an import of the fixtures eneo-api-credentials.sql and eneo-model-providers.sql: tenant, provider,
 * mask, time, settings, and the key. `now` is the time of the import, for keys without a time in Eneo. A key in parentheses is a
 * plaintext of python-fernet-tokens.json that begins like this. `SERVER` is the address of the local provider server.
 */
const apiCredentials = `
sundsvall     azure             ...z789 2025-10-23T10:30:00.000Z ${azure('sundsvall', '')} (sk-proj)
sundsvall     openai            ...z789 2025-10-22T10:00:00.123Z {} (sk-proj)
harnosand     mistral           ...2222 2025-09-01T07:00:00.000Z {} plain-mistral-harnosand-2222
harnosand     openai            ...1111 now {} sk-plain-harnosand-1111
timra         mistral           ...aaaa now {} (aaaa)
timra         ovhcloud          ...kept now {} (  spaces kept)
timra         vllm              ...     2025-11-01T00:00:00.000Z {"endpoint":"http://vllm.timra.svc.cluster.local:8000"} (x)
kramfors      anthropic         ...":1} 2025-08-08T08:08:08.000Z {} ({"json")
stromsund     vllm              ...     now {"endpoint":"http://10.20.30.40:8000/v1"} EMPTY
krokom        gdm               ...3434 now {"endpoint":"https://gdm.example/v1"} plain-gdm-krokom-3434
krokom        infinity          ...4545 now {"endpoint":"https://infinity.example/v1"} plain-infinity-krokom-4545
krokom        vllm              ...5656 now {"endpoint":"http://vllm.krokom:8000"} plain-vllm-krokom-5656
are-in-tenkey mistral           ...7878 now {} plain-mistral-are-7878
are-in-tenkey openai            ...4321 now {} sk-key-in-tenkey-4321
`;

const modelProviders = `
umea          anthropic         ...z789 2025-02-02T00:00:00.000Z {} (sk-proj)
umea          openai            ...z789 2025-03-03T03:03:03.333Z {} (sk-proj)
lulea         openai            ...5555 2025-04-04T00:00:00.000Z {"endpoint":"https://eu.api.openai.com/v1"} sk-plain-active-5555
boden         openai            ...8888 2025-05-05T00:00:00.000Z {} sk-plain-newer-8888
pitea         azure_europa      ...9999 2025-06-07T00:00:00.000Z ${azure('europa')} plain-azure-europa-9999
pitea         azure_sverige     ...z789 2025-06-06T00:00:00.000Z ${azure('sverige')} (sk-proj)
kalix         azure             ...0000 2025-06-08T00:00:00.000Z ${azure('kalix')} plain-azure-kalix-0000
skelleftea    berget            ...z789 2025-07-02T00:00:00.000Z {"endpoint":"https://api.berget.ai/v1"} (sk-proj)
skelleftea    gdm               ...z789 2025-07-03T00:00:00.000Z {"endpoint":"SERVER/gdm/v1"} (sk-proj)
skelleftea    vllm              ...     2025-07-01T00:00:00.000Z {"endpoint":"http://gpu.skelleftea:8000/v1"} EMPTY
robertsfors   berget            ...2323 2025-07-05T00:00:00.000Z {"endpoint":"https://api.berget.ai/v1"} plain-berget-robertsfors-2323
robertsfors   gdm               ...1212 2025-07-04T00:00:00.000Z {"endpoint":"SERVER/gdm/v1"} plain-gdm-robertsfors-1212
nordmaling    gpu_1             ...3434 2025-08-01T00:00:00.000Z {"endpoint":"http://gpu-1.nordmaling:8000"} plain-gpu-one-3434
nordmaling    gpu_1_2           ...4545 2025-08-02T00:00:00.000Z {"endpoint":"http://gpu-2.nordmaling:8000"} plain-gpu-two-4545
nordmaling    modellserver_sele ...5656 2025-08-03T00:00:00.000Z {"endpoint":"https://modeller.asele.se/v1"} plain-asele-5656
bjurholm      openai            ...6767 now {} sk-plain-text-6767
`;

export interface EneoRow {
  readonly tenant: string;
  readonly provider: string;
  readonly mask: string;
  readonly configuredAt: string;
  readonly config: unknown;
  readonly key: string;
}

export const eneoRows = { apiCredentials: rowsOf(apiCredentials), modelProviders: rowsOf(modelProviders) };

function rowsOf(table: string): EneoRow[] {
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [, tenant, provider, mask, configuredAt, config, key] =
        /^(\S+) +(\S+) +(\S+) +(\S+) (\{\S*\}) (.+)$/.exec(line)!;
      return { tenant, provider, mask, configuredAt, config: JSON.parse(config!) as unknown, key } as EneoRow;
    });
}

function azure(resource: string, end = '/'): string {
  return JSON.stringify({
    endpoint: `https://${resource}.openai.azure.com${end}`,
    api_version: '2024-10-21',
    deployment_name: 'gpt-4o',
  });
}

/** The lines of the plan for what is not stored. */
export const eneoPlans = {
  apiCredentials: [
    /^sundsvall +create +00000000-0000-4000-8000-000000000001$/m,
    /^sundsvall +openai +set +\.\.\.z789$/m,
    /^harnosand +openai +set +\.\.\.1111 +was stored in clear text$/m,
    /^timra +ovhcloud +set +\.\.\.kept +sealed again under the key that seals now$/m,
    /^timra +vllm +set +\.\.\.$/m,
    /^kramfors +anthropic +set +\.\.\.":1} +was sealed under the old key; ignored: comment$/m,
    /^solleftea +openai +skip +neither a loaded encryption key nor the old one opens it$/m,
    /^solleftea +berget +skip +neither a loaded/m,
    /^solleftea +mistral +skip +neither a loaded/m,
    /^solleftea +anthropic +skip +the key is sealed in a form that is not known$/m,
    /^solleftea +ovhcloud +skip +api_key must have only printable ASCII characters$/m,
    /^stromsund +create .*its state is not known, so it is suspended$/m,
    /^stromsund +openai +empty +the key is empty$/m,
    /^stromsund +vllm +set +\.\.\. +has no key in Eneo, so EMPTY is sent$/m,
    /^ragunda +azure +skip +.*api_key must be a string$/m,
    /^ragunda +constructor +skip +is no provider that Tenkey knows/m,
    /^ragunda +__proto__ +skip +is no provider that Tenkey knows/m,
    /^ragunda +anthropic +skip +is not an object with an api_key$/m,
    /^berg +api_credentials +skip +is not an object$/m,
    /^bracke +azure +skip +endpoint is not allowed, because it is a metadata address/m,
    /^bracke +mistral +skip +mistral has no endpoint$/m,
    /^bracke +openai +skip +api_key looks like the mask of a key/m,
    /^bracke +vllm +skip +endpoint must not contain a user name or password$/m,
    /^taken +skip +00000000-0000-4000-8000-00000000000c; another tenant of Tenkey has this name$/m,
    /^are +openai +keep +\.\.\.4321 +has another OpenAI credential, which --replace overwrites$/m,
    /^linebreak +skip +00000000-0000-4000-8000-00000000000e; name must not contain control characters/m,
    /^harjedalen +api_credentials +skip +is too large, or no JSON$/m,
  ],
  modelProviders: [
    /^umea +openai +left out +model_providers has this provider$/m,
    /^lulea +openai +left out +OpenAI: is not active in Eneo$/m,
    /^lulea +mistral +left out +Mistral: is not active in Eneo$/m,
    /^lulea +mistral +left out +model_providers has this provider$/m,
    /^boden +openai +skip +OpenAI old: is active, but OpenAI new was changed later/m,
    /^skelleftea +vllm +left out +model_providers has this provider$/m,
    /^bjurholm +anthropic +skip +config: its config is not an object$/m,
    /^bjurholm +mistral +skip +list: is not an object with an api_key$/m,
    /^bjurholm +bedrock +skip +\[removed\]: its provider_type is none that Tenkey knows/m,
    /^bjurholm +azure +skip +Azure: api_version must be an API version/m,
    /^bjurholm +cohere +empty +Cohere: the key is empty$/m,
  ],
};
