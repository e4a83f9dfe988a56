/**
 * What a request carries. `json`: an object whose one text fills so many bytes of JSON. `fields`: objects of a few small
 * fields, so many bytes of JSON together. `bytes`: so many raw bytes.
 */
export interface PayloadShape {
  readonly as: 'json' | 'fields' | 'bytes';
  readonly payloadBytes: number;
}

const ALPHABET = 'Sealwire echoes what it was sent, and nothing else. ';

export function makePayload({ as, payloadBytes }: PayloadShape): unknown {
  switch (as) {
    case 'json':
      return jsonPayload(payloadBytes);
    case 'fields':
      return fieldsPayload(payloadBytes);
    case 'bytes':
      return bytesPayload(payloadBytes);
  }
}

/** Whether an answer says the same as the payload, in whatever form the transport brings it. */
export function isEcho(answer: unknown, payload: unknown): boolean {
  if (payload instanceof Uint8Array) return isSameBytes(answer, payload);
  const rows = rowsOf(payload);
  return rows === undefined ? isSameText(answer, payload) : isSameRows(rowsOf(answer), rows);
}

/** @returns A value whose JSON text has exactly `bytes` bytes. */
function jsonPayload(bytes: number): { readonly text: string } {
  const textBytes = bytes - JSON.stringify({ text: '' }).length;
  return { text: ALPHABET.repeat(Math.ceil(textBytes / ALPHABET.length)).slice(0, textBytes) };
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly open: boolean;
}

/** @returns Rows, and a text that fills up what they leave, with exactly `bytes` bytes of JSON. */
function fieldsPayload(bytes: number): { readonly rows: readonly Row[]; readonly rest: string } {
  const rows: Row[] = [];
  let left = bytes - JSON.stringify({ rows, rest: '' }).length;
  for (let id = 0; ; id++) {
    const row = { id, name: `row ${id}`, open: id % 2 === 0 };
    const rowBytes = JSON.stringify(row).length + 1; // its comma, or for the first row a place in `rest`
    if (rowBytes > left) break;
    rows.push(row);
    left -= rowBytes;
  }
  const commaOfFirst = rows.length > 0 ? 1 : 0;
  return { rows, rest: 'x'.repeat(left + commaOfFirst) };
}

/** Of all values alike, so that a text of numbers is as long as for any other bytes. */
export function bytesPayload(bytes: number): Buffer {
  const payload = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at++) payload[at] = (at * 167) & 0xff;
  return payload;
}

function isSameText(answer: unknown, payload: unknown): boolean {
  return textOf(answer) !== undefined && textOf(answer) === textOf(payload);
}

function isSameRows(answer: readonly Partial<Row>[] | undefined, rows: readonly Partial<Row>[]): boolean {
  return (
    answer?.length === rows.length &&
    rows.every(({ id, name, open }, at) => {
      const row = answer[at];
      return row !== undefined && row.id === id && row.name === name && row.open === open;
    })
  );
}

function rowsOf(value: unknown): readonly Partial<Row>[] | undefined {
  return typeof value === 'object' && value !== null && 'rows' in value && Array.isArray(value.rows)
    ? (value.rows as readonly Partial<Row>[])
    : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string'
    ? value.text
    : undefined;
}

/** A transport of JSON brings bytes as what `Buffer.toJSON` makes of them: a program would have to turn them back. */
function isSameBytes(answer: unknown, payload: Uint8Array): boolean {
  if (answer instanceof Uint8Array) return Buffer.compare(answer, payload) === 0;
  if (typeof answer !== 'object' || answer === null || !('data' in answer) || !Array.isArray(answer.data)) return false;
  return Buffer.compare(Buffer.from(answer.data), payload) === 0;
}
