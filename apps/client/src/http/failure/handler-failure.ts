const DEFAULT_STATUS = 502;

/** The failure of a handler, with the fields that the handler or a filter of the server returned. */
export class HandlerFailure extends Error {
  /** The fields of the failure. `statusCode` or `status` becomes the status of the answer if it is 400 to 599. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly statusCode: number;
  readonly code: string;

  constructor(cause: unknown) {
    const fields = fieldsOf(cause);
    super(messageOf(cause), { cause });
    this.fields = fields;
    this.statusCode = [fields['statusCode'], fields['status']].find(isFailureStatus) ?? DEFAULT_STATUS;
    this.code = typeof fields['code'] === 'string' ? fields['code'] : 'ERR_RPC';
  }
}

/** Returns the fields of a failure without the `status: 'error'` of Nest's own filter, which has no use for a caller. */
function fieldsOf(error: unknown): Record<string, unknown> {
  if (typeof error !== 'object' || error === null || Array.isArray(error)) return {};
  const fields = Object.entries(error).filter(([name, value]) => name !== 'status' || value !== 'error');
  return Object.fromEntries(fields.filter(([, value]) => jsonOf(value) !== undefined));
}

function isFailureStatus(status: unknown): status is number {
  return Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599;
}

function messageOf(error: unknown): string {
  if (typeof error === 'string') return error;
  if (typeof error === 'object' && error !== null && 'message' in error) {
    if (typeof error.message === 'string') return error.message;
    if (Array.isArray(error.message)) return error.message.map(textOf).join('; ');
  }
  return jsonOf(error) ?? 'The handler failed';
}

/**
 * Returns the text without `String(part)`, which runs out of stack for deep nesting, and calls a `toString` that a peer
 * may have sent.
 */
function textOf(part: unknown): string {
  return typeof part === 'string' ? part : (jsonOf(part) ?? 'a part is nested too deeply to be shown');
}

/** Returns undefined for a value that is nested too deeply. Older engines can parse such a value but not write it. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
