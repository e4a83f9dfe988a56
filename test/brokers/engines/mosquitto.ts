import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { EngineKind } from './engine.js';

const CONNECT = Buffer.from('\x10\x0c\0\x04MQTT\x04\x02\0\x0a\0\0', 'latin1');
const CONNACK = Buffer.of(0x20, 0x02);

export const MOSQUITTO: EngineKind = {
  scheme: 'mqtt',
  program: 'mosquitto',
  aptPackage: 'mosquitto',
  async command(port, directory) {
    const file = join(directory, 'mosquitto.conf');
    const lines = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${directory}/`,
      'user root', // if root runs the tests, it would become another user, to whom the directory does not belong
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    return { program: 'mosquitto', args: ['-c', file] };
  },
  hello: CONNECT,
  answer: CONNACK,
};
