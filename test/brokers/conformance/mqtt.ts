import { ClientMqtt, MqttRecordBuilder, ServerMqtt } from '@nestjs/microservices';
import type { MqttContext } from '@nestjs/microservices';
import { SealedMqttClient, SealedMqttServer } from '@sealwire/brokers';

import { Engine } from '../engines/engine.js';
import { MOSQUITTO } from '../engines/mosquitto.js';
import { IS_NEST_11 } from './nest-version.js';
import { sealing } from './sealed.js';
import type { HeadersUnderTest, TransportUnderTest } from './transport-under-test.js';

const HEADERS: HeadersUnderTest = {
  record: (data, userProperties) => new MqttRecordBuilder(data).setProperties({ userProperties }).build(),
  read: (context, name) => {
    const { properties } = (context as MqttContext).getPacket() as {
      properties?: { userProperties?: Record<string, string> };
    };
    return properties?.userProperties?.[name];
  },
};

const ON_MQTT = {
  kind: MOSQUITTO,
  wildcard: { pattern: 'conformance/orders/+', message: 'conformance/orders/created' },
  headers: HEADERS,
} as const satisfies Partial<TransportUnderTest>;

export const STOCK_MQTT: TransportUnderTest = {
  ...ON_MQTT,
  name: "Nest's own MQTT",
  connectsOnce: IS_NEST_11,
  losesAnswers: true,
  async start() {
    const engine = await Engine.start(MOSQUITTO);
    const options = { url: engine.url, protocolVersion: 5 } as const;
    return {
      createServer: () => new ServerMqtt(options),
      createClient: () => new ClientMqtt(options),
      stop: () => engine.stop(),
    };
  },
};

export const SEALED_MQTT: TransportUnderTest = {
  ...ON_MQTT,
  name: 'Sealed MQTT',
  async start() {
    const engine = await Engine.start(MOSQUITTO);
    const options = { url: engine.url, protocolVersion: 5, seal: sealing() } as const;
    return {
      createServer: () => new SealedMqttServer(options),
      createClient: () => new SealedMqttClient(options),
      stop: () => engine.stop(),
    };
  },
};
