import { MqttRecordBuilder } from '@nestjs/microservices';
import { SealedMqttClient, SealedMqttServer } from '@sealwire/brokers';

import { Engine } from '../engines/engine.js';
import { MOSQUITTO } from '../engines/mosquitto.js';
import { OPEN_MQTT } from '../strangers/mqtt.js';
import type { HostileBroker } from './hostile-broker.js';

export const HOSTILE_MQTT: HostileBroker = {
  name: 'Sealed MQTT',
  kind: MOSQUITTO,
  async start() {
    const engine = await Engine.start(MOSQUITTO);
    const address = { url: engine.url, protocolVersion: 5 } as const;
    return {
      createServer: (seal) => new SealedMqttServer({ ...address, seal }),
      createClient: (seal) => new SealedMqttClient({ ...address, seal }),
      answersTo: OPEN_MQTT.answersTo,
      record: (data, header) =>
        new MqttRecordBuilder(data).setProperties({ userProperties: { header }, contentType: header }).build(),
      stranger: () => OPEN_MQTT.connect(engine.url),
      stop: () => engine.stop(),
    };
  },
};
