// Faults of the rogue peer, played against a server of their own each.
import { allowsRuns, type ClientFault } from '../support/fault.js';
import { RoguePeer } from '../support/rogue-peer.js';
import { stands, type Observation } from './attack.js';
import { atEnd } from './clean-up.js';
import { Channel } from './targets/channel.js';

/** Plays every fault whose name matches, and reports whether each ended as its table requires. */
export async function play(faults: readonly ClientFault[], name: RegExp, note = ''): Promise<Observation> {
  const chosen = faults.filter((fault) => name.test(fault.name));
  if (chosen.length === 0) throw new Error(`No fault is called ${name.source}`);
  const wrong: string[] = [];
  for (const fault of chosen) {
    const complaint = await playOne(fault);
    if (complaint !== undefined) wrong.push(`"${fault.name}": ${complaint}`);
  }
  const codes = [...new Set(chosen.map(({ ends }) => ends))].join(', ');
  const saw = `${chosen.length} faults, each with its end (${codes}), others served${note}`;
  return stands(saw, Object.fromEntries(wrong.map((what) => [what, true])));
}

/** What was not as it has to be. */
async function playOne(fault: ClientFault): Promise<string | undefined> {
  const { at, does, ends, hears = [], options } = fault;
  const channel = await Channel.open(options);
  const rogue = await RoguePeer.dial(channel.port);
  atEnd(() => rogue.socket.destroy());
  if (at !== 'connected') {
    rogue.write(rogue.message1());
    await rogue.hears('message 2');
  }
  if (at === 'open') rogue.say(rogue.confirm());
  const heard = rogue.words.length;
  await does(rogue);
  if (!(await channel.isLeft())) return 'the connection lives on';
  rogue.socket.resume();
  await rogue.left;
  const said = rogue.words.slice(heard);
  const code = channel.ended.join() || 'agreed';
  if (code !== (ends === 'unseen' ? 'agreed' : ends)) return `ended with ${code}, not ${ends}`;
  if (!allowsRuns(fault, channel.runs)) return `${channel.runs} handlers ran`;
  if (hears !== 'whatever' && said.join() !== hears.join()) return `it received ${said.join()}`;
  return (await channel.servesOthers()) ? undefined : 'others were not served';
}
