import { declaredProvider } from '#providers';
import { DeclaredProviders } from './declared-providers';

const gdm = declaredProvider({ id: 'gdm', kind: 'openai_compatible', label: 'The GDM' });
const lab = declaredProvider({ id: 'lab-1', kind: 'vllm', label: 'Lab' });

describe('DeclaredProviders', () => {
  let declared: DeclaredProviders;
  beforeEach(() => (declared = new DeclaredProviders([gdm, lab])));

  it('uses what the catalogue declares with the same id and kind', () => {
    expect(declared.providerOf('openai_compatible', 'GDM')).toBe(gdm);
    expect(declared.providerOf('vllm', 'Lab 1')).toBe(lab);
    expect(declared.providerOf('azure', 'GDM').id).toBe('gdm_2');
  });

  it('gives servers of one name one provider, and servers of one tenant different ones', () => {
    const first = declared.providerOf('vllm', 'GPU 1');
    expect([first.id, first.kind, first.label]).toEqual(['gpu_1', 'vllm', 'GPU 1']);
    expect(declared.providerOf('vllm', 'gpu-1')).toBe(first);
    expect(declared.providerOf('vllm', 'gpu-1', 2).id).toBe('gpu_1_2');
    expect(declared.providerOf('openai_compatible', 'GPU 1').id).toBe('gpu_1_3');
  });

  it('avoids ids whose variables have another meaning', () => {
    expect(declared.providerOf('vllm', 'Platform').id).toBe('platform_2');
    // LAB_1_API_KEY belongs to lab-1.
    expect(declared.providerOf('azure', 'Lab 1').id).toBe('lab_1_2');
  });

  it('writes only providers in use, with labels that the catalogue accepts, and no key that was entered as a name', () => {
    declared.providerOf('azure', 'Unused');
    for (const name of ['Azure: "EU"', 'hidden\u202ename', 'sk-plain-key-as-a-name-1234', 'plain']) {
      declared.use(declared.providerOf('azure', name));
    }
    declared.use(gdm);
    expect(declared.yaml).toBe(`providers:
  - id: azure_eu
    kind: azure
    label: 'Azure: "EU"'
  - id: hidden_name
    kind: azure
  - id: removed
    kind: azure
    label: "[removed]"
  - id: plain
    kind: azure
`);
  });
});
