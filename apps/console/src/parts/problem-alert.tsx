import { Alert, List, Text } from '@mantine/core';
import { RequestFailed } from '../api/problem';

/** An error with what to do about it, as the API says it. */
export function ProblemAlert({ error }: { error: unknown }) {
  const failed = error instanceof RequestFailed ? error : undefined;
  const problem = failed?.problem;
  const request = problem?.instance?.replace('urn:tenkey:request:', '');
  return (
    <Alert color="red" title={problem?.title ?? 'This did not work'} role="alert">
      <Text size="sm">{error instanceof Error ? error.message : 'An unexpected error occurred.'}</Text>
      {problem?.errors !== undefined && (
        <List size="sm">
          {problem.errors.map(({ path, message }) => (
            <List.Item key={path + message}>{message}</List.Item>
          ))}
        </List>
      )}
      {failed?.hint !== undefined && (
        <Text size="sm" mt="xs" fw={500}>
          {failed.hint}
        </Text>
      )}
      {request !== undefined && (
        <Text size="xs" c="dimmed" mt="xs">
          Request {request}
        </Text>
      )}
    </Alert>
  );
}
