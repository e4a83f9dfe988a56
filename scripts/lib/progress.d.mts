import type { WriteStream } from 'node:tty';

type Stream = Pick<WriteStream, 'write'> & { readonly isTTY?: boolean; readonly columns?: number };

export class Progress {
  constructor(stream?: Stream, afterMs?: number);
  show(step: string): void;
  clear(): void;
}
