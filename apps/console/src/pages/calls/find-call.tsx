import { Button, Group, TextInput } from '@mantine/core';
import { useState } from 'react';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The field for the id of a call. @param onFind gets an id, or null for all calls */
export function FindCall({
  requestId,
  onFind,
}: {
  requestId: string;
  onFind: (requestId: string | null) => void;
}) {
  const [text, setText] = useState(requestId);
  const [error, setError] = useState<string>();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const id = text.trim();
        if (id !== '' && !uuid.test(id)) setError(mistakeOf(id));
        else onFind(id === '' ? null : id.toLowerCase());
      }}
    >
      <Group align="flex-start" gap="xs">
        <TextInput
          label="Request id"
          description="The header x-tenkey-request-id of the response."
          placeholder="0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10"
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setError(undefined);
          }}
          error={error}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          w={420}
          maw="100%"
          autoComplete="off"
          spellCheck={false}
        />
        <Group gap="xs" mt={24}>
          <Button type="submit">Find the call</Button>
          {requestId !== '' && (
            <Button variant="default" onClick={() => onFind(null)}>
              Show all calls
            </Button>
          )}
        </Group>
      </Group>
    </form>
  );
}

function mistakeOf(text: string): string {
  return text.startsWith('tkr1.')
    ? 'This is a receipt. “Verify a receipt” says which call it is of.'
    : 'A request id has 32 hexadecimal digits in five groups. Ids of clients are not searched.';
}
