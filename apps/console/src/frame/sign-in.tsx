import { Alert, Button, Center, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { useSessionState } from '../api/session';
import { ProblemAlert } from '../parts/problem-alert';

/** One field for the key, and Enter. The key is read from the field, sent, and nowhere kept. */
export function SignIn() {
  const { ended, signIn } = useSessionState();
  const [error, setError] = useState<unknown>();
  const [isPending, setPending] = useState(false);
  const submit = async (form: HTMLFormElement) => {
    const field = form.elements.namedItem('key') as HTMLInputElement;
    setPending(true);
    setError(undefined);
    try {
      await signIn(field.value.trim());
    } catch (failure) {
      setError(failure);
      field.select();
    } finally {
      setPending(false);
    }
  };
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper withBorder shadow="sm" p="xl" w="100%" maw={420}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void submit(event.currentTarget);
          }}
        >
          <Stack>
            <Title order={1} size="h2">
              Tenkey
            </Title>
            {ended !== undefined && error === undefined && <Alert color="yellow">{ended}</Alert>}
            <PasswordInput
              name="key"
              label="Key"
              description="Your sysadmin key, or the super key. The browser does not keep it."
              placeholder="tks_..."
              autoComplete="off"
              spellCheck={false}
              required
              data-autofocus
              autoFocus
            />
            {error !== undefined && <ProblemAlert error={error} />}
            <Button type="submit" loading={isPending}>
              Sign in
            </Button>
            <Text size="xs" c="dimmed">
              You are signed out after 30 minutes without use, after 12 hours at the latest, and as soon as
              the key is revoked.
            </Text>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
