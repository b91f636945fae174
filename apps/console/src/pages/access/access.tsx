import { Button, Card, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { api } from '../../api/client';
import { type Scope, useRefresh } from '../../api/session';
import { Confirm } from '../../parts/forms/confirm';
import { Empty, Loaded } from '../../parts/loaded';
import { NewKey } from '../../parts/keys/new-key';
import { PageHead } from '../../parts/page-head';
import { useTenantNames } from '../../parts/audit/tenant-names';
import { Moment } from '../../parts/times';
import { type SysadminKey } from './key-facts';
import { KeyForm } from './key-form';
import { readScopes } from './scope-words';
import { KeyHintsCard } from './key-hints';
import { KeyList } from './key-list';
import { SuperKeyBanner } from './super-key-banner';

const path = '/api/v1/sysadmin/keys';

/** What is open: the form for a new key, that for a change, or the question before a key is revoked. */
type Dialog =
  | { readonly kind: 'create'; readonly scopes: readonly Scope[] }
  | { readonly kind: 'change' | 'revoke'; readonly key: SysadminKey };

/** The sysadmin keys, which only the super key may see and manage. */
export default function Access() {
  const query = api.useQuery('get', path);
  const tenantNames = useTenantNames();
  const [dialog, setDialog] = useState<Dialog>();
  const close = () => setDialog(undefined);
  const startCreate = (scopes: readonly Scope[]) => setDialog({ kind: 'create', scopes });
  return (
    <>
      <PageHead
        title="Access"
        description="A sysadmin key lets one person or one job do a part of what the super key can. People sign in to this console with it."
        actions={
          <>
            <Button onClick={() => startCreate([])}>Create a key</Button>
            <Button variant="default" onClick={() => startCreate(readScopes)}>
              Create a key that only reads
            </Button>
          </>
        }
      />
      <Stack>
        <SuperKeyBanner onCreate={startCreate} />
        <Loaded query={query}>
          {({ items }) => (
            <>
              {items.length === 0 ? (
                <Card withBorder>
                  <Empty title="There are no sysadmin keys">
                    Everybody who uses the sysadmin API or this console shares the super key, so the audit
                    cannot tell them apart. Create a key for each person and each job, with only the scopes
                    that they need.
                  </Empty>
                </Card>
              ) : (
                <KeyList
                  keys={items}
                  tenantNames={tenantNames}
                  onChange={(key) => setDialog({ kind: 'change', key })}
                  onRevoke={(key) => setDialog({ kind: 'revoke', key })}
                />
              )}
              <KeyHintsCard keys={items} />
            </>
          )}
        </Loaded>
      </Stack>
      <Create dialog={dialog} tenantNames={tenantNames} onClose={close} />
      <Change dialog={dialog} tenantNames={tenantNames} onClose={close} />
      <Revoke dialog={dialog} onClose={close} />
    </>
  );
}

interface DialogProps {
  readonly dialog: Dialog | undefined;
  readonly onClose: () => void;
}

/** The form, and then the new key, which is forgotten when its dialog closes. */
function Create({
  dialog,
  tenantNames,
  onClose,
}: DialogProps & { tenantNames: ReadonlyMap<string, string> }) {
  const refresh = useRefresh();
  const create = api.useMutation('post', path, {
    gcTime: 0,
    onSuccess: () => {
      onClose();
      void refresh();
    },
  });
  const close = () => {
    create.reset();
    onClose();
  };
  return (
    <>
      <Modal opened={dialog?.kind === 'create'} onClose={close} title="Create a sysadmin key" size="lg">
        {dialog?.kind === 'create' && (
          <KeyForm
            action="Create the key"
            suggested={dialog.scopes}
            tenantNames={tenantNames}
            request={create}
            onSubmit={(body) => create.mutate({ body })}
            onCancel={close}
          />
        )}
      </Modal>
      <NewKey issued={create.data} onClose={() => create.reset()}>
        <Text size="sm">
          Its holder signs in to this console with it, or sends it to the sysadmin API in the header{' '}
          <code>X-API-Key</code>. Pass it on over a channel that you trust.
        </Text>
      </NewKey>
    </>
  );
}

function Change({
  dialog,
  tenantNames,
  onClose,
}: DialogProps & { tenantNames: ReadonlyMap<string, string> }) {
  const refresh = useRefresh();
  const change = api.useMutation('put', `${path}/{key_id}`, {
    onSuccess: () => {
      onClose();
      void refresh();
    },
  });
  const close = () => {
    change.reset();
    onClose();
  };
  return (
    <Modal opened={dialog?.kind === 'change'} onClose={close} title="Change a sysadmin key" size="lg">
      {dialog?.kind === 'change' && (
        <KeyForm
          action="Save"
          before={dialog.key}
          tenantNames={tenantNames}
          request={change}
          onSubmit={(body) => change.mutate({ params: { path: { key_id: dialog.key.id } }, body })}
          onCancel={close}
        />
      )}
    </Modal>
  );
}

function Revoke({ dialog, onClose }: DialogProps) {
  const refresh = useRefresh();
  const revoke = api.useMutation('delete', `${path}/{key_id}`, {
    onSuccess: () => {
      onClose();
      void refresh();
    },
  });
  const key = dialog?.kind === 'revoke' ? dialog.key : undefined;
  return (
    <Confirm
      title="Revoke a sysadmin key"
      name={key?.name ?? ''}
      action="Revoke the key"
      color="red"
      isOpen={key !== undefined}
      request={revoke}
      onSubmit={() => key !== undefined && revoke.mutate({ params: { path: { key_id: key.id } } })}
      onClose={() => {
        revoke.reset();
        onClose();
      }}
    >
      <Text size="sm">
        No process accepts <strong>{key?.name}</strong> from then on, and its sessions in the console end.
        Tenant keys that were created with it stay valid. This cannot be undone.
      </Text>
      {key !== undefined && (
        <Text size="sm">
          {key.last_used_at === null ? (
            'It has never been used.'
          ) : (
            <>
              It was last used <Moment time={key.last_used_at} />.
            </>
          )}
        </Text>
      )}
    </Confirm>
  );
}
