const DEFAULT_STATUS = 502;

/** A handler has failed. The caller is told what the handler, or a filter of the server, made of it, and no more. */
export class HandlerFailure extends Error {
  /** What the server's filter gave: `statusCode` or `status` is that of the answer, if it is one of a failure. */
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

/** Nest marks what its own filter made with `status: 'error'`, which says nothing to a caller. */
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

/** `String` would run out of stack for what is nested deep, and calls a `toString` that a peer may have sent. */
function textOf(part: unknown): string {
  return typeof part === 'string' ? part : (jsonOf(part) ?? 'nested too deep');
}

/** Undefined of what is nested too deep to be written, which older engines read all the same. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
