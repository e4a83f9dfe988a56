// Row 52: what a reader does to the sources that its answers come from.
import { from, take } from 'rxjs';

import { asked, data, frame, request } from '../../support/rogue-words.js';
import { stands, type Attack } from '../attack.js';
import { Channel, eventually } from '../targets/channel.js';

const SOURCES = 8;
const VALUES = 20;

/** Stops reading in the middle of an answer that several sources give, goes on, and leaves the next one half read. */
async function readInSteps() {
  const channel = await Channel.open({ limits: { maxQueuedBytes: 65_536 }, timeouts: { writeMs: 30_000 } });
  const { server } = channel;
  server.addHandler('several', (count) => Promise.resolve(from(sources()).pipe(take(Number(count)))));
  const rogue = await channel.insider();
  const count = (word: string): number => rogue.words.filter((each) => each === word).length;
  for (let stream = 1; stream <= SOURCES; stream++) {
    rogue.say(request(stream, asked('several', stream)));
    rogue.socket.pause();
    await eventually(() => server.snapshot().running === 1, 1_000); // it may be over already
    rogue.socket.resume();
    await eventually(() => server.snapshot().running === 0);
  }
  const streams = Array.from({ length: SOURCES }, (_, index) => index + 1);
  const isWhole = (stream: number): boolean => count(`NEXT ${stream}`) === stream * VALUES;
  await eventually(() => streams.every(isWhole));
  rogue.say(request(SOURCES + 1, asked('several', SOURCES)), data(frame('CANCEL', SOURCES + 1)));
  await eventually(() => server.snapshot().running === 0);
  const whole = streams.filter(isWhole).length;
  const { running } = server.snapshot();
  return stands(`${whole} of ${SOURCES} answers came whole, ${running} handlers still run`, {
    'an answer stopped': whole < SOURCES,
    'a place was lost': running > 0,
  });
}

function sources(): AsyncGenerator<Buffer>[] {
  return Array.from({ length: SOURCES }, async function* () {
    for (let value = 0; value < VALUES; value++) yield Buffer.alloc(8_192);
  });
}

export const SOURCES_OF_ANSWERS: readonly Attack[] = [
  { row: 52, name: 'reads several sources in steps', against: { S: readInSteps } },
];
