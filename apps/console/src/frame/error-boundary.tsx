import { Button, Container, Stack } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { ProblemAlert } from '../parts/problem-alert';

interface State {
  readonly error: unknown;
}

/** Shows an error that no page has handled, instead of an empty page. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override readonly state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <Container size="sm" py="xl">
        <Stack align="flex-start">
          <ProblemAlert error={error} />
          <Button onClick={() => location.reload()}>Load the page again</Button>
        </Stack>
      </Container>
    );
  }
}
