import { Alert, Button, Modal, Stack, Table, Text, Textarea } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client';
import { valueText, wordsOf } from '../../parts/audit/audit-words';
import { Form } from '../../parts/forms/form';

/** Checks the receipt that a response carried, which may be of any tenant. */
export function VerifyReceipt() {
  const [isOpen, { open, close }] = useDisclosure();
  return (
    <>
      <Button variant="default" onClick={open}>
        Verify a receipt
      </Button>
      <Modal opened={isOpen} onClose={close} title="Verify a receipt" size="lg">
        <Verification />
      </Modal>
    </>
  );
}

function Verification() {
  const [receipt, setReceipt] = useState('');
  const verify = api.useMutation('post', '/api/v1/sysadmin/receipts/verify');
  return (
    <Stack>
      <Form
        action="Verify"
        request={verify}
        onSubmit={() => verify.mutate({ body: { receipt: receipt.trim() } })}
      >
        <Textarea
          label="Receipt"
          description="The header x-tenkey-receipt of a response. It is signed, and says which credential served the call."
          placeholder="tkr1...."
          value={receipt}
          onChange={(event) => {
            setReceipt(event.currentTarget.value);
            verify.reset();
          }}
          autosize
          minRows={3}
          maxRows={8}
          required
          spellCheck={false}
          data-autofocus
        />
      </Form>
      <div role="status">{verify.data !== undefined && <Verdict of={verify.data} />}</div>
    </Stack>
  );
}

function Verdict({ of }: { of: Schemas['VerifyReceiptResponse'] }) {
  const { valid, reason, said = {}, record_agrees: agrees } = of;
  if (!valid) {
    return (
      <Alert color="red" title="The receipt is not valid">
        Tenkey did not issue it like this: {reason}
      </Alert>
    );
  }
  return (
    <Stack gap="xs">
      <Alert color="teal" title="Tenkey issued this receipt">
        The provider accepted the credential below for this call.
      </Alert>
      {agrees === false && (
        <Alert color="red" title="The usage record says something else">
          Its row was changed in the database. The receipt is signed, so it holds.
        </Alert>
      )}
      <Text size="sm">
        {agrees === true && 'The usage record of the call agrees.'}
        {agrees === null &&
          'There is no usage record to compare it with: it is not written yet, or was deleted.'}
      </Text>
      <Table variant="vertical" layout="fixed" verticalSpacing={6} aria-label="What the receipt says">
        <Table.Tbody>
          {Object.entries(said).map(([field, value]) => (
            <Table.Tr key={field}>
              <Table.Th scope="row" w="30%">
                {wordsOf(field)}
              </Table.Th>
              <Table.Td>{valueText(value)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}
