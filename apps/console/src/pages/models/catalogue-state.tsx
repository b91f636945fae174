import { Code, List, Stack, Text } from '@mantine/core';
import { type Schemas } from '../../api/client';
import { Notice } from '../../parts/notice';
import { timeOf } from '../../parts/times';

type Catalogue = Schemas['CatalogueResponse'];
type Finding = Schemas['CatalogueFindingResponse'];

/** Whether the models are those of the file, and what is wrong with the file. */
export function CatalogueState({ catalogue }: { catalogue: Catalogue }) {
  const { state, reason, file, in_force_since: since, findings, faults, warnings } = catalogue;
  const ofSeverity = (severity: Finding['severity']) => findings.filter((each) => each.severity === severity);
  return (
    <Stack gap="sm" mb="md">
      <Text size="sm">
        Tenkey loaded these models from the file <Code>{file}</Code> on {timeOf(since)}.
      </Text>
      {state === 'stale' && (
        <Notice color="red" title="The file is not in force">
          <Text size="sm">
            It has {faults === 1 ? 'a fault' : 'faults'}, so the models below are those of its last valid
            version. Calls go on with them. Repair the lines below in <Code>{file}</Code>: Tenkey reads the
            file again within seconds, without a restart. <Code>npx tenkey models check</Code> checks a file
            before you save it there.
          </Text>
          {faults > 0 ? (
            <Findings findings={ofSeverity('fault')} count={faults} />
          ) : (
            <Text size="sm" mt="xs">
              {reason}
            </Text>
          )}
        </Notice>
      )}
      {warnings > 0 && (
        <Notice title={warnings === 1 ? '1 warning' : `${warnings} warnings`}>
          <Text size="sm">A warning stops nothing, but may be a surprise.</Text>
          <Findings findings={ofSeverity('warning')} count={warnings} />
        </Notice>
      )}
    </Stack>
  );
}

/** @param count how many there are; the API names only the first ones */
function Findings({ findings, count }: { findings: readonly Finding[]; count: number }) {
  const more = count - findings.length;
  return (
    <List size="sm" mt="xs">
      {findings.map(({ line, reason }, at) => (
        <List.Item key={at}>
          {line !== null && <strong>Line {line}: </strong>}
          {reason}
        </List.Item>
      ))}
      {more > 0 && <List.Item>and {more} more</List.Item>}
    </List>
  );
}
