import { hostname } from 'node:os';

import { ConsoleLogger, Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { MessageLog } from '../message-log.js';
import { MessageService } from './message.service.js';
import type { Receipt } from './message.service.js';

const RECORD = Buffer.alloc(80, 0xab);

class Lines extends ConsoleLogger {
  readonly printed: string[] = [];

  override log(message: unknown): void {
    this.printed.push(String(message));
  }

  override warn(message: unknown): void {
    this.printed.push(String(message));
  }
}

function receive(logMessages: boolean, record?: Uint8Array): Receipt {
  return new MessageService(new MessageLog({ logMessages })).receive('Grüße', '0123456789abcdef', record);
}

describe('a message', () => {
  let lines: Lines;

  beforeEach(() => {
    lines = new Lines();
    Logger.overrideLogger(lines);
  });

  afterEach(() => Logger.overrideLogger(new ConsoleLogger()));

  it('is answered with a receipt', () => {
    const { receivedAt, ...receipt } = receive(true, RECORD);
    expect(receipt).toEqual({ text: 'Grüße', bytes: 7, keyId: '0123456789abcdef', server: hostname() });
    expect(new Date(receivedAt).toISOString()).toBe(receivedAt);
  });

  it('is printed as received, in hex cut at 64 bytes, and decrypted', () => {
    receive(true, RECORD);
    expect(lines.printed).toEqual([`Received, encrypted (80 bytes): ${'ab'.repeat(64)}…`, 'Decrypted: Grüße']);
  });

  it('is printed whole if it is short, and without hex if nothing was sealed', () => {
    receive(true, Buffer.from('cafe', 'hex'));
    receive(true);
    expect(lines.printed).toEqual(['Received, encrypted (2 bytes): cafe', 'Decrypted: Grüße', 'Decrypted: Grüße']);
  });

  it('of the legacy wire is labelled as such, with its sender', () => {
    const service = new MessageService(new MessageLog({ logMessages: true }));
    service.receiveLegacy('Grüße', '0123456789abcdef', RECORD, '192.0.2.1:5');
    expect(lines.printed).toEqual([
      `Received on the legacy wire from 192.0.2.1:5, encrypted (80 bytes): ${'ab'.repeat(64)}…`,
      'Decrypted: Grüße',
    ]);
  });

  it('is kept out of the log with LOG_MESSAGES=false', () => {
    receive(false, RECORD);
    expect(lines.printed.join('\n')).not.toContain('Grüße');
    expect(lines.printed.at(-1)).toBe('Decrypted: 7 bytes of text');
  });
});
