import { connectAsync } from 'mqtt';

import { MOSQUITTO } from '../engines/mosquitto.js';
import type { OpenBroker, Stranger } from './stranger.js';

export const OPEN_MQTT: OpenBroker = {
  name: 'mqtt',
  kind: MOSQUITTO,
  connect,
  answersTo: ({ name }) => `${name}/reply`,
};

async function connect(url: string): Promise<Stranger> {
  const client = await connectAsync(url, { protocolVersion: 5 });
  return {
    async watch(see) {
      client.on('message', (name, data, { properties }) =>
        see({ name, data, beside: JSON.stringify(properties) ?? '' }),
      );
      await client.subscribeAsync('#');
    },
    async publish({ name, data }) {
      await client.publishAsync(name, Buffer.from(data), { qos: 1 });
    },
    close: () => client.endAsync(),
  };
}
