import { Drawer, Stack, Table, Text } from '@mantine/core';
import { type ReactNode } from 'react';
import { type Schemas } from '../../api/client';
import { Copyable } from '../../parts/keys/copyable';
import { PayerView } from '../../parts/payer';
import { timeOf } from '../../parts/times';
import { useKeyNames } from '../tenant/keys/key-names';
import { OutcomeBadge } from './outcome-badge';

export type Call = Schemas['UsageRecordResponse'];

const number = new Intl.NumberFormat();

/** All fields of a call. @param call undefined: it is closed */
export function CallDetails({ call, onClose }: { call: Call | undefined; onClose: () => void }) {
  return (
    <Drawer opened={call !== undefined} onClose={onClose} title="Call" position="right" size="lg">
      {call !== undefined && <CallFields call={call} />}
    </Drawer>
  );
}

export function CallFields({ call }: { call: Call }) {
  const keyName = useKeyNames(call.tenant_id);
  const lines: readonly (readonly [string, ReactNode])[] = [
    ['Whose key', <PayerView key="payer" payer={call} />],
    ['Outcome', <OutcomeBadge key="outcome" call={call} />],
    ['Time', timeOf(call.at)],
    ['Time in UTC', call.at],
    ['Came with', keyName(call.key_id)],
    ['Model', call.model],
    ['Operation', call.operation],
    ['Provider', call.provider],
    ['Host', call.host],
    ['Deployment or model there', call.target],
    ['Adapter', call.adapter],
    ['Status from the provider', call.upstream_status ?? 'no response'],
    ['Attempts', call.attempts],
    ['Input tokens', countOf(call.input_tokens)],
    ['of them read from a cache', countOf(call.cached_tokens)],
    ['of them written to a cache', countOf(call.cache_write_tokens)],
    ['Output tokens', countOf(call.output_tokens)],
    ['Search units', countOf(call.search_units)],
    [
      'First byte after',
      call.first_byte_ms === null ? 'none came' : `${number.format(call.first_byte_ms)} ms`,
    ],
    ['Duration', `${number.format(call.total_ms)} ms`],
    ['Size of the request', `${number.format(call.request_bytes)} bytes`],
    ['Size of the response', `${number.format(call.response_bytes)} bytes`],
    ['Request id', <Copyable key="id" text={call.request_id} name="the request id" />],
    [
      "The client's id",
      call.client_request_id === null ? (
        'none'
      ) : (
        <Copyable key="client" text={call.client_request_id} name="the client's id" />
      ),
    ],
  ];
  return (
    <Stack gap="xs">
      {call.is_estimated && (
        <Text size="sm">
          The client disconnected during the stream, so the provider reported no tokens. They are an estimate.
        </Text>
      )}
      <Table variant="vertical" layout="fixed" verticalSpacing={6} aria-label="Fields of the call">
        <Table.Tbody>
          {lines.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" w="38%">
                {name}
              </Table.Th>
              <Table.Td>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}

function countOf(count: number | null): string {
  return count === null ? 'not reported' : number.format(count);
}
