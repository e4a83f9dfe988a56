import { Socket } from 'node:net';

import { describe, expect, it } from 'vitest';

import { SocketView } from '../../../channel/src/socket/socket-view.js';
import { LegacyContext } from '../legacy/nest/legacy-context.js';
import { SealwireContext } from './context.js';

const PLANTED = 'what another client sent';

describe('the bytes that a context returns', () => {
  it.each([32, 3_000, 60_000])('are in memory that contains nothing else: %i', (bytes) => {
    const received = Buffer.concat([Buffer.from(PLANTED), Buffer.alloc(bytes)]).subarray(PLANTED.length);
    const socket = new SocketView(new Socket());
    const peer = { socket, address: undefined, keyId: '', label: undefined, instanceId: '' };
    const context = new SealwireContext({ peer, pattern: '', metadata: undefined, record: received });
    const legacy = new LegacyContext({ pattern: '', address: undefined, keyId: '', ciphertext: received });
    expect(context.getSealedRecord()?.buffer.byteLength).toBe(2 + bytes);
    expect(legacy.getCiphertext().buffer.byteLength).toBe(bytes);
    expect(legacy.getCiphertext().equals(received)).toBe(true);
  });
});
