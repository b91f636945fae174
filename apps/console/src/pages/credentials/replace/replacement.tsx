import { Alert, Button, Paper, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';
import { type Provider, type Slots } from '../credential-data';
import { CredentialFacts } from '../credential-facts';
import { type Change, type ChangeResult, useChange } from '../slot-changes';
import { EnterStep } from './enter-step';
import { type BecameLive, LiveStep } from './live-step';
import { type Stored } from './put-credential';
import { StagedStep } from './staged-step';

/** What the entry of the history keeps of a replacement. Everything else is read from the API. */
interface Kept {
  readonly became?: BecameLive;
  /** Another key is entered although one is staged. */
  readonly isEntering?: boolean;
}

/** The step at which the stored credentials are. */
export function Replacement({
  tenantId,
  tenantName,
  provider,
  slots,
  isAdding,
}: {
  tenantId: string;
  tenantName: string;
  provider: Provider;
  slots: Slots;
  /** A live credential that exists already is shown, and not replaced at once. */
  isAdding: boolean;
}) {
  const location = useLocation();
  const navigate = useNavigate();
  const { became, isEntering: wasEntering = false } = (location.state ?? {}) as Kept;
  const { live, staged } = slots;
  const [isEntering, setEntering] = useState(wasEntering || staged === null);
  const [isFirst, setFirst] = useState(live === null);
  const [notice, setNotice] = useState<string>();
  const go = (kept: Kept) => {
    setEntering(kept.isEntering === true);
    void navigate(location.pathname, { replace: true, state: kept });
  };
  const changing = useChange(tenantId, provider.id, (result, change) => done(result, change));
  const done = ({ message, processes }: ChangeResult, change: Change) => {
    setNotice(change.kind === 'promote' ? undefined : message);
    if (change.kind === 'promote') {
      const since = new Date().toISOString();
      go({ became: { how: 'promoted', version: change.version, since, processes, message } });
    }
    if (change.kind === 'rollback') go({});
    setFirst(false);
  };
  const stored = ({ message, version, set_at: since, processes }: Stored) => {
    setNotice(version === undefined ? undefined : withoutPaths(message));
    go(version === undefined ? { became: { how: 'added', version: since, since, processes, message } } : {});
  };
  const common = { tenantId, tenantName, provider, slots };
  return (
    <>
      {notice !== undefined && changing.error === null && (
        <Alert color="gray" role="status" mb="md">
          {notice}
        </Alert>
      )}
      {became !== undefined &&
      live !== null &&
      [live.version, live.configured_at].includes(became.version) ? (
        <LiveStep {...common} live={live} became={became} changing={changing} />
      ) : isAdding && !isFirst && live !== null ? (
        <Stack maw={720} align="flex-start">
          <Text size="sm">
            {tenantName} has a live {provider.label} key already. You can replace it in steps, so that calls
            go on meanwhile.
          </Text>
          <Paper withBorder p="md" w="100%">
            <CredentialFacts credential={live} provider={provider} />
          </Paper>
          <Button component={Link} to={`/tenants/${tenantId}/replace/${provider.id}`}>
            Replace
          </Button>
        </Stack>
      ) : staged !== null && !isEntering ? (
        <StagedStep
          {...common}
          staged={staged}
          changing={changing}
          onEnter={() => go({ isEntering: true })}
        />
      ) : (
        <EnterStep
          {...common}
          isStaged={!isFirst}
          onStored={stored}
          onCancel={staged !== null ? () => go({}) : undefined}
        />
      )}
    </>
  );
}

/** Without the sentence that names the request of the next step, which here is a button. */
function withoutPaths(message: string): string {
  return message.replace(/ POST \S+ makes it live\./, '');
}
