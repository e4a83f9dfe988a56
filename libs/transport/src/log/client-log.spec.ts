import { inspect } from 'node:util';

import type { LoggerService } from '@nestjs/common';
import { beforeEach, describe, expect, it } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { TransportError } from '../../../channel/src/errors.js';
import { ClientLog } from './client-log.js';

const lost = new TransportError('ERR_PING_TIMEOUT', 'No PONG in time');
const server = 'there:8080';
const lines: string[] = [];
const note =
  (level: string) =>
  (entry: unknown): void =>
    void lines.push(`${level}: ${String(entry)}`);
const logger: LoggerService = { log: note('log'), warn: note('warn'), error: note('error') };
const newLog = (): ClientLog => new ClientLog(logger, () => [server]);

beforeEach(() => void lines.splice(0));

describe('the log of a client', () => {
  it('reports that a connection was lost, and that there is one again', () => {
    const log = newLog();
    for (const type of ['connecting', 'connected'] as const) log.note({ type, server });
    expect(lines).toEqual([]);
    log.note({ type: 'disconnected', server, error: lost });
    log.note({ type: 'failed', server, error: new Error('refused'), retryInMs: 100 });
    log.note({ type: 'connected', server });
    log.note({ type: 'draining', server });
    log.note({ type: 'disconnected', server, error: undefined });
    log.flush();
    expect(lines).toEqual([
      'warn: Lost the connection to there:8080: No PONG in time (ERR_PING_TIMEOUT)',
      'warn: Cannot connect to there:8080: refused; the next attempt is in 100 ms',
      'log: Connected to there:8080 again',
      'log: The connection to there:8080 is draining; new calls use another one',
    ]);
  });

  it('names the server of a failed attempt once, although the error names it, too', () => {
    const log = newLog();
    const error = new TransportError('ERR_CONNECT_FAILED', 'Cannot connect to there:8080: refused');
    log.note({ type: 'failed', server, error, retryInMs: 100 });
    expect(lines).toEqual([
      'warn: Cannot connect to there:8080: refused (ERR_CONNECT_FAILED); the next attempt is in 100 ms',
    ]);
  });

  it('reports neither an attempt whose call fails with the reason nor a close()', () => {
    const log = newLog();
    log.note({ type: 'failed', server, error: lost, retryInMs: undefined });
    log.note({ type: 'connected', server });
    log.note({ type: 'disconnected', server, error: undefined });
    log.note({ type: 'eventFailed', error: lost, pattern: 'x' });
    log.flush();
    expect(lines).toEqual([]);
  });

  it('has one line when one of several servers begins to fail, and one when it is back', () => {
    const log = new ClientLog(logger, () => [server, 'here:8080']);
    for (const retryInMs of [undefined, 100, 200])
      log.note({ type: 'failed', server, error: new Error('refused'), retryInMs });
    log.note({ type: 'disconnected', server: 'here:8080', error: lost });
    log.note({ type: 'failed', server: 'here:8080', error: new Error('refused'), retryInMs: 100 });
    for (const name of [server, 'here:8080']) log.note({ type: 'connected', server: name });
    log.flush();
    expect(lines).toEqual([
      'warn: Cannot connect to there:8080: refused',
      'warn: Lost the connection to here:8080: No PONG in time (ERR_PING_TIMEOUT)',
      'log: Connected to there:8080 again',
      'log: Connected to here:8080 again',
    ]);
  });

  it('has one line a second for events that are lost with one code, with the count of the others', () => {
    const time = FakeClock.install();
    const log = newLog();
    for (let count = 0; count < 1_000; count++) log.eventLost(lost, { cmd: 'a\nb' });
    time.advance(1_000);
    log.flush();
    const line = `error: The event { cmd: 'a\\\\nb' } did not reach a handler: No PONG in time (ERR_PING_TIMEOUT)`;
    expect(lines).toEqual([line, `${line} (and 998 more of this kind before it)`]);
  });

  it('has a line for an event with an unprintable pattern', () => {
    const pattern = { [inspect.custom]: (): never => expect.fail('a pattern of the user') };
    newLog().eventLost(lost.ofMessage(false), pattern);
    expect(lines).toEqual([
      'error: The event of a pattern that cannot be shown did not reach a handler: No PONG in time (ERR_PING_TIMEOUT)',
    ]);
  });

  it.each([
    [true, 'may not have reached'],
    [false, 'did not reach'],
  ])('reports for an event with sent: %s that it %s a handler', (sent, verb) => {
    newLog().eventLost(lost.ofMessage(sent), 'noted');
    expect(lines).toEqual([`error: The event noted ${verb} a handler: No PONG in time (ERR_PING_TIMEOUT)`]);
  });
});
