import { SealedKafkaClient, SealedKafkaServer } from '@sealwire/brokers';

import { KCAT, startKafkaMock } from '../engines/kafka.js';
import { answersTo, connectToKafka, ONE_PARTITION } from '../strangers/kafka.js';
import type { HostileBroker } from './hostile-broker.js';
import { RELAYED_COUNT, RELAYED_ECHO } from './relay-suite.js';
import { ECHO, FAIL, LATE } from './suite.js';

const REQUESTS = [ECHO, FAIL, LATE, RELAYED_ECHO, RELAYED_COUNT];
const TOPICS = REQUESTS.flatMap((name) => [name, answersTo({ name })]);

export const HOSTILE_KAFKA: HostileBroker = {
  name: 'Sealed Kafka',
  kind: KCAT,
  async start() {
    const mock = await startKafkaMock();
    /** New ones for each end: Nest 11 changes them. */
    const options = () => ({
      client: { brokers: [mock.address] },
      // The mock broker answers a fetch without a message after this time only.
      consumer: { groupId: 'hostile', maxWaitTimeInMs: 20 },
      producer: ONE_PARTITION,
      subscribe: { fromBeginning: true },
    });
    return {
      createServer: (seal) => new SealedKafkaServer({ ...options(), seal }),
      createClient: (seal) => {
        const client = new SealedKafkaClient({ ...options(), seal });
        for (const pattern of REQUESTS) client.subscribeToResponseOf(pattern);
        return client;
      },
      answersTo,
      record: (value, header) => ({ value, headers: { header } }),
      stranger: () => connectToKafka(mock.address, TOPICS),
      stop: () => mock.stop(),
    };
  },
};
