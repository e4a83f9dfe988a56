import { MqttRecordBuilder } from '@nestjs/microservices';
import { SealedMqttClient, SealedMqttServer } from '@sealwire/brokers';
import { connectAsync } from 'mqtt';

import { Engine } from '../engines/engine.js';
import { MOSQUITTO } from '../engines/mosquitto.js';
import type { HostileBroker, SeenMessage, Stranger } from './hostile-broker.js';

export const HOSTILE_MQTT: HostileBroker = {
  name: 'Sealed MQTT',
  kind: MOSQUITTO,
  async start() {
    const engine = await Engine.start(MOSQUITTO);
    const address = { url: engine.url, protocolVersion: 5 } as const;
    return {
      createServer: (seal) => new SealedMqttServer({ ...address, seal }),
      createClient: (seal) => new SealedMqttClient({ ...address, seal }),
      answersTo: (pattern) => `${pattern}/reply`,
      record: (data, header) =>
        new MqttRecordBuilder(data).setProperties({ userProperties: { header }, contentType: header }).build(),
      stranger: () => connect(engine.url),
      stop: () => engine.stop(),
    };
  },
};

async function connect(url: string): Promise<Stranger> {
  const client = await connectAsync(url, { protocolVersion: 5 });
  const seen: SeenMessage[] = [];
  client.on('message', (name, data, { properties }) => {
    seen.push({ name, data, beside: JSON.stringify(properties) ?? '' });
  });
  await client.subscribeAsync('#');
  return {
    seen,
    async publish(name, data) {
      await client.publishAsync(name, Buffer.from(data), { qos: 1 });
    },
    close: () => client.endAsync(),
  };
}
