import { connectAsync } from 'mqtt';

import type { Stranger } from './stranger.js';

export async function connectToMqtt(url: string): Promise<Stranger> {
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
