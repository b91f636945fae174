import { Code, PasswordInput, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { type ClipboardEvent, type ReactNode, type RefObject, useEffect, useState } from 'react';
import { type Schemas } from '../../../api/client';
import { dateOf } from '../../../parts/times';
import { type Provider, type StoredCredential } from '../credential-data';
import { linesOf } from './put-credential';

type Field = Schemas['ProviderFieldResponse'];

interface FieldProps {
  readonly field: Field;
  /** What the API found wrong with it. */
  readonly error: string | undefined;
}

/** The key is only in the input: not in the state of the page, and without a name also not in the data of the form. */
export function KeyField({
  field,
  error,
  input,
}: FieldProps & { input: RefObject<HTMLInputElement | null> }) {
  const [isRevealed, setRevealed] = useState(false);
  const [wasTrimmed, setTrimmed] = useState(false);
  useEffect(() => {
    const node = input.current;
    const clear = () => {
      if (node !== null) node.value = '';
    };
    // The browser may keep a page that one leaves, with what was typed, for its Back button.
    window.addEventListener('pagehide', clear);
    return () => {
      window.removeEventListener('pagehide', clear);
      clear();
    };
  }, [input]);
  const paste = (event: ClipboardEvent<HTMLInputElement>) => {
    const pasted = event.clipboardData.getData('text');
    const text = pasted.trim();
    setTrimmed(text !== pasted);
    if (text === pasted) return;
    event.preventDefault();
    const { selectionStart, selectionEnd, value } = event.currentTarget;
    event.currentTarget.setRangeText(text, selectionStart ?? 0, selectionEnd ?? value.length, 'end');
  };
  return (
    <Stack gap={4}>
      <PasswordInput
        id={idOf(field)}
        ref={input}
        label={field.label}
        description={withCode(field.description)}
        error={error}
        required
        visible={isRevealed}
        onVisibilityChange={setRevealed}
        visibilityToggleButtonProps={{
          'aria-label': isRevealed ? 'Hide the key' : 'Show the key',
          tabIndex: 0,
        }}
        onPaste={paste}
        onInput={(event) => {
          setTrimmed(false);
          if (event.currentTarget.value === '') setRevealed(false);
        }}
        autoFocus
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        data-1p-ignore
        data-lpignore="true"
        data-form-type="other"
      />
      <Text size="xs" role="status">
        {wasTrimmed && 'The spaces or line breaks around the pasted key were removed.'}
      </Text>
    </Stack>
  );
}

/** A field that is not secret. It begins with the setting of the live credential, which the next key usually needs as well. */
export function SettingField({
  field,
  error,
  provider,
  live,
  typed,
}: FieldProps & {
  provider: Provider;
  live: StoredCredential | null;
  /** What was typed before the page was loaded again. */
  typed: string | undefined;
}) {
  const setting = live?.config[field.name];
  const common = {
    id: idOf(field),
    name: field.name,
    label: field.label,
    required: field.required,
    error,
    autoComplete: 'off',
    spellCheck: false,
  };
  if (field.type === 'time') {
    const expires = live?.expires_at ?? null;
    return (
      <TextInput
        {...common}
        type="date"
        styles={{ wrapper: { maxWidth: 220 } }}
        label="Expires on"
        description={
          <>
            The day on which the provider ends the key, if it does. Tenkey warns 30, 7 and 1 days before.
            {expires !== null && ` The live key: ${dateOf(expires)}.`}
          </>
        }
        defaultValue={typed}
      />
    );
  }
  if (field.type === 'map') {
    const [name, text] = Object.entries(field.example as Record<string, string>)[0] ?? ['name', 'text'];
    return (
      <Textarea
        {...common}
        autosize
        minRows={2}
        description={
          <>
            {withCode(field.description)} One in each line, such as <Code>{`${name}=${text}`}</Code>.
          </>
        }
        defaultValue={typed ?? linesOf(setting)}
      />
    );
  }
  return (
    <TextInput
      {...common}
      description={
        <>
          {withCode(field.description)}
          {field.name === 'endpoint' && provider.default_host !== null && (
            <> If it is empty, calls go to {provider.default_host}.</>
          )}
        </>
      }
      placeholder={typeof field.example === 'string' ? field.example : undefined}
      defaultValue={typed ?? (typeof setting === 'string' ? setting : undefined)}
    />
  );
}

export function idOf({ name }: Pick<Field, 'name'>): string {
  return `field-${name}`;
}

/** The texts of the API mark names and values with backticks. */
function withCode(text: string): ReactNode {
  return text.split('`').map((part, index) => (index % 2 === 1 ? <Code key={index}>{part}</Code> : part));
}
