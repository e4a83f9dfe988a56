import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import type { BrokerCallMessage } from '@sealwire/brokers';
import { ObservedCall } from '@sealwire/channel/internal';
import { onTestFinished } from 'vitest';

const START = 'sealwire:broker:call:start';

/**
 * Attaches headers to all calls of clients through brokers, as tracing does, until the test has finished.
 *
 * @returns The headers that servers get meanwhile, by handler that runs.
 */
export function attachUntilFinished(headers: Readonly<Record<string, string>>): readonly unknown[] {
  const received: unknown[] = [];
  const attach = (message: unknown): void => {
    const report = message as BrokerCallMessage;
    const call = ObservedCall.of(report);
    if (report.side === 'client') call?.attach(headers);
    else received.push(call?.metadata);
  };
  subscribe(START, attach);
  onTestFinished(() => void unsubscribe(START, attach));
  return received;
}
