import { readFileSync } from 'node:fs';

import { BROKER_ERROR_CODES, BrokerError } from '@sealwire/brokers';
import { CRYPTO_ERROR_CODES, CryptoError } from '@sealwire/crypto';
import { ENVELOPE_ERROR_CODES, EnvelopeError } from '@sealwire/envelope';
import { TRANSPORT_ERROR_CODES, TransportError } from '@sealwire/transport';

import { HTTP_FAILURE_CODES, HttpFailure } from '../../apps/client/src/http/failure/http-failure.js';

// docs/errors.md holds one row for each code:   | `ERR_…` | `fault`, or status | what happened | what to do |
interface Row {
  readonly code: string;
  readonly mark: string;
  readonly happened: string;
  readonly remedy: string;
}

const SENTENCES = /^.{3,}[.?]$/;

const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

function rowsOf(chapter: string): readonly Row[] {
  const [, body = ''] = text.split(`\n## ${chapter}\n`);
  const lines = body.split('\n## ')[0]?.split('\n') ?? [];
  return lines.filter((line) => line.startsWith('| `ERR_')).map(parseRow);
}

function parseRow(line: string): Row {
  const [, code = '', mark = '', happened = '', remedy = ''] = line.split('|').map((cell) => cell.trim());
  return { code: code.replaceAll('`', ''), mark: mark.replaceAll('`', ''), happened, remedy };
}

const faultOfTransport = TRANSPORT_ERROR_CODES.map((code) => [code, new TransportError(code, '').fault] as const);
const faultOfCrypto = CRYPTO_ERROR_CODES.map((code) => [code, new CryptoError(code, '').fault] as const);
const faultOfEnvelope = ENVELOPE_ERROR_CODES.map((code) => [code, new EnvelopeError(code, '').fault] as const);
const faultOfBrokers = BROKER_ERROR_CODES.map((code) => [code, new BrokerError(code, '').fault] as const);
const statusOfTrigger = HTTP_FAILURE_CODES.map(
  (code) => [code, String(new HttpFailure(code, '').getStatus())] as const,
);

describe.each([
  { chapter: 'TransportError', marks: new Map<string, string>(faultOfTransport) },
  { chapter: 'CryptoError', marks: new Map<string, string>(faultOfCrypto) },
  { chapter: 'EnvelopeError', marks: new Map<string, string>(faultOfEnvelope) },
  { chapter: 'BrokerError', marks: new Map<string, string>(faultOfBrokers) },
  { chapter: 'HTTP trigger', marks: new Map<string, string>(statusOfTrigger) },
])('docs/errors.md, $chapter', ({ chapter, marks }) => {
  const rows = rowsOf(chapter);

  it('explains every code, once, and no other', () => {
    expect(new Set(rows.map(({ code }) => code))).toEqual(new Set(marks.keys()));
    expect(rows).toHaveLength(marks.size);
  });

  it('names the fault, or the status, of every code as the source does', () => {
    expect(Object.fromEntries(rows.map(({ code, mark }) => [code, mark]))).toEqual(Object.fromEntries(marks));
  });

  it('describes in whole sentences what happened and what to do, for every code', () => {
    expect(rows.flatMap(({ happened, remedy }) => [happened, remedy]).filter((cell) => !SENTENCES.test(cell))).toEqual(
      [],
    );
  });
});
