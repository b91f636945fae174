import { Badge, Group, Paper, Table, Text } from '@mantine/core';
import { type Schemas } from '../../api/client';

type Model = Schemas['CatalogueModelResponse'];

/** What the catalogue says about each model, in the order of the file. */
export function ModelTable({ models }: { models: readonly Model[] }) {
  return (
    <Paper withBorder>
      <Table.ScrollContainer minWidth={760} type="native" tabIndex={0} role="region" aria-label="Models">
        <Table verticalSpacing="xs" highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Kind</Table.Th>
              <Table.Th>Provider</Table.Th>
              <Table.Th>
                Upstream model
                <Text size="xs" c="dimmed">
                  What the provider calls it
                </Text>
              </Table.Th>
              <Table.Th>Hosting</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {models.map((model) => (
              <ModelRow key={model.name} model={model} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Paper>
  );
}

function ModelRow({ model }: { model: Model }) {
  const { name, nickname, kind, provider, adapter, hosting, is_deprecated: isDeprecated } = model;
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={400}>
        <Group gap="xs">
          <Text size="sm" fw={600}>
            {name}
          </Text>
          {isDeprecated === true && (
            <Badge size="xs" color="gray" tt="none">
              deprecated
            </Badge>
          )}
          {adapter === 'legacy' && (
            <Badge size="xs" color="gray" tt="none" title="No tenant can call it with a key of its own.">
              global keys only
            </Badge>
          )}
        </Group>
        {nickname !== null && nickname !== name && (
          <Text size="xs" c="dimmed">
            {nickname}
          </Text>
        )}
      </Table.Th>
      <Table.Td>{kind}</Table.Td>
      <Table.Td>
        {provider ?? 'none: no provider serves it'}
        {model.host !== null && (
          <Text size="xs" c="dimmed">
            {model.host}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        {model.upstream_model ?? 'none'}
        {model.deployment_name !== null && (
          <Text size="xs" c="dimmed">
            deployment {model.deployment_name}
          </Text>
        )}
      </Table.Td>
      <Table.Td>{hosting ?? 'not stated'}</Table.Td>
    </Table.Tr>
  );
}
