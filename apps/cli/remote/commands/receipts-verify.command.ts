import { type Command, Option } from 'commander';
import { type VerifyReceiptResponse } from '#usage';
import { exitCodes } from '../../command-line';
import { type Columns } from '../../output';
import { type Settings } from '../../settings';
import { textOfFile } from '../../files';
import { textFromStdin } from '../provider-key';
import { remoteCommand } from '../remote-command';

const columns: Columns<VerifyReceiptResponse> = {
  valid: ({ valid }) => (valid ? 'yes' : 'no'),
  reason: ({ reason }) => reason,
  tenant_id: ({ said }) => said?.tenant_id,
  at: ({ said }) => said?.at,
  model: ({ said }) => said?.model,
  operation: ({ said }) => said?.operation,
  provider: ({ said }) => said?.provider,
  host: ({ said }) => said?.host,
  source: ({ said }) => said?.source,
  key: ({ said }) => said?.mask,
  version: ({ said }) => said?.version,
  request_id: ({ said }) => said?.request_id,
  usage_record: ({ valid, record_agrees: agrees }) =>
    !valid ? undefined : agrees === null ? 'none' : agrees ? 'agrees' : 'differs: the database was changed',
};

export function receiptsVerifyCommand(settings: Settings): Command {
  return remoteCommand<{ file?: string }>(settings, {
    name: 'verify',
    scope: 'usage:read',
    description:
      'Say which credential served a call, from the x-tenkey-receipt header of its response. The exit code is 1 if the receipt is not valid, or if the usage record differs. A record that is no longer kept does not count.',
    arguments: ['[receipt]'],
    options: [new Option('--file <path>', 'a file with the receipt')],
    hasCsv: true,
    notes: 'Without an argument and without --file, the receipt is read from standard input.',
    examples: [
      'receipts verify tkr1....',
      'receipts verify --file receipt.txt',
      'receipts verify < receipt.txt',
    ],
    check: ({ args: [given], options: { file }, command }) => {
      if (given !== '' && file !== undefined) command.error('error: give either a receipt or --file');
      const isMissing = given === '' && file === undefined && process.stdin.isTTY;
      if (isMissing) command.error('error: there is no receipt');
    },
    run: async ({ api, print, args: [given], options: { file } }) => {
      const text = given || (file === undefined ? await textFromStdin() : textOfFile(file, '--file'));
      // The whole line of the header is accepted as well.
      const receipt = text.replace(/^x-tenkey-receipt:\s*/i, '');
      const result = await api.post<VerifyReceiptResponse>('/receipts/verify', { receipt });
      await print.one(result, columns);
      if (!result.valid || result.record_agrees === false) process.exitCode = exitCodes.fault.code;
    },
  });
}
