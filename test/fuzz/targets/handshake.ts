// docs/protocol.md §4: what a stranger sends first, and what a client gets back.
import { createHash } from 'node:crypto';
import {
  checkMessage1Prefix,
  ConfirmVerifier,
  expectedReplyBytes,
  KeyPair,
  receiveMessage2,
  respond,
  startInitiator,
} from '../../../libs/channel/src/handshake/index.js';
import { decodeAnnouncement, encodeAnnouncement } from '../../../libs/channel/src/handshake/announcement.js';
import { encodeConfirm } from '../../../libs/channel/src/handshake/confirm.js';
import { mutate } from '../mutate.js';
import type { Random } from '../../support/random.js';
import { hold, OK, outcomeOf } from '../target.js';
import type { Target } from '../target.js';
import { keyPairOf } from '../../support/key-pair.js';

export const KEY = { keyId: Buffer.alloc(8, 0x4b), psk: Buffer.alloc(32, 0x5a) };
const LIMITS = { unixMs: 0, maxMessageBytes: 8_388_608, maxInFlight: 64, maxIncompleteBytes: 67_108_864 };
const SERVICE = 'default';
const ALERT = Buffer.from('e1534c5701ff0000', 'hex');

const pair = (name: string): KeyPair => keyPairOf(createHash('sha256').update(name).digest());
/** Without ephemeral keys, which are drawn then. */
export const CLIENT = { service: SERVICE, announcement: { ...LIMITS, maxInFlight: 0 }, instance: pair('instance') };
export const SERVER = { service: SERVICE, announcement: LIMITS, instanceId: Buffer.alloc(16, 2) };
const fromClient = { ...CLIENT, ephemeral: pair('client') };
const fromServer = { ...SERVER, ephemeral: pair('server') };
/** The psk of every key id, so that a changed key id is as near to success as anything. */
const anyPsk = (): Buffer => KEY.psk;

/** A genuine message 1, always the same. */
export const MESSAGE_1: Buffer = startInitiator(KEY, fromClient).message1;
export const MESSAGE_2: Buffer = respond(anyPsk, fromServer, MESSAGE_1).message2;

function near(genuine: Buffer, random: Random): Buffer {
  if (random.oneIn(64)) return genuine;
  if (random.oneIn(16)) return random.bytes(random.below(300));
  if (random.oneIn(4)) return Buffer.concat([genuine.subarray(0, random.below(genuine.length)), random.bytes(40)]);
  return mutate(genuine, random);
}

export const preamble: Target = {
  name: 'preamble',
  codes: ['ERR_HANDSHAKE_MALFORMED', 'ERR_EARLY_BYTES'],
  make: (random) => near(random.pick([MESSAGE_1, MESSAGE_2, ALERT]), random),
  run(input) {
    const [first, second] = [MESSAGE_1, MESSAGE_2].map((message) => message.subarray(0, 8));
    const begins = (message: Buffer | undefined): boolean =>
      message?.subarray(0, input.length).equals(input.subarray(0, message.length)) ?? false;
    const server = outcomeOf(() => checkMessage1Prefix(input));
    hold((server === 'ERR_HANDSHAKE_MALFORMED') === !begins(first), `the server says ${server}`);
    let bytes: number | undefined;
    const client = outcomeOf(() => (bytes = expectedReplyBytes(input)));
    hold((client === OK) === (begins(second) || begins(ALERT)), `the client says ${client}`);
    hold(bytes === undefined || bytes === MESSAGE_2.length || bytes === ALERT.length, `a reply of ${bytes} bytes`);
    return server;
  },
};

export const message1: Target = {
  name: 'message 1',
  codes: ['ERR_HANDSHAKE_MALFORMED', 'ERR_BAD_MAC'],
  make: (random) => near(MESSAGE_1, random),
  run(input) {
    const outcome = outcomeOf(() => respond(anyPsk, fromServer, input));
    hold((outcome === OK) === input.equals(MESSAGE_1), 'a message 1 that was altered opens');
    return outcome;
  },
};

export const message2: Target = {
  name: 'message 2',
  codes: ['ERR_ALERT', 'ERR_HANDSHAKE_MALFORMED', 'ERR_BAD_MAC'],
  make: (random) => (random.oneIn(100) ? ALERT : near(MESSAGE_2, random)),
  run(input) {
    const { state } = startInitiator(KEY, fromClient);
    const outcome = outcomeOf(() => receiveMessage2(state, input));
    hold((outcome === OK) === input.equals(MESSAGE_2), 'a message 2 that was altered opens');
    const again = outcomeOf(() => receiveMessage2(state, MESSAGE_2));
    hold(again === 'ERR_HANDSHAKE_MALFORMED', 'a handshake that is over goes on');
    return outcome;
  },
};

export const announcement: Target = {
  name: 'announcement',
  codes: ['ERR_HANDSHAKE_MALFORMED', 'ERR_PEER_LIMITS'],
  make: (random) => (random.oneIn(4) ? random.bytes(30) : near(encodeAnnouncement(LIMITS), random)),
  run(input) {
    const outcomes = (['client', 'server'] as const).map((from) =>
      outcomeOf(() => {
        const decoded = decodeAnnouncement(input, from);
        hold(decoded.maxMessageBytes >= 65_536, 'a limit that nothing fits in');
        hold(from === 'client' || decoded.maxInFlight > 0, 'a server that takes nothing');
        // Above 2^53 the clock is not exact; it is information only.
        if (!Number.isSafeInteger(decoded.unixMs)) return;
        hold(encodeAnnouncement(decoded).equals(Buffer.concat([input.subarray(0, 20), Buffer.alloc(10)])), 'changed');
      }),
    );
    return outcomes[1] ?? OK;
  },
};

const HASH = Buffer.alloc(32, 0x68);
const CONFIRM: Buffer = encodeConfirm({
  instance: CLIENT.instance,
  serverEphemeral: fromServer.ephemeral.publicKey,
  handshakeHash: HASH,
  announcement: CLIENT.announcement,
});
/** S and proof: what follows them is not bound by the proof, but by the tag of the record. */
const PROVED_BYTES = 48;

export const confirm: Target = {
  name: 'confirm',
  codes: ['ERR_HANDSHAKE_MALFORMED', 'ERR_INSTANCE_PROOF', 'ERR_PEER_LIMITS'],
  make: (random) =>
    random.oneIn(2) ? near(CONFIRM, random) : Buffer.concat([CONFIRM.subarray(0, PROVED_BYTES), random.bytes(30)]),
  run(input) {
    const verifier = new ConfirmVerifier(fromServer.ephemeral, HASH);
    const outcome = outcomeOf(() => {
      const client = verifier.verify(input);
      hold(client.instanceKey.equals(CLIENT.instance.publicKey), 'a client without a proof');
      hold(client.announcement.maxMessageBytes >= 65_536, 'a limit that nothing fits in');
    });
    const isProved = input.subarray(0, PROVED_BYTES).equals(CONFIRM.subarray(0, PROVED_BYTES));
    hold(outcome !== OK || isProved, 'a proof that was altered is taken');
    hold(outcomeOf(() => verifier.verify(CONFIRM)) === 'ERR_HANDSHAKE_MALFORMED', 'a verifier that is used twice');
    return outcome;
  },
};
