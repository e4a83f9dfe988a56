import { join } from 'node:path';

import { freePorts } from '../../support/free-ports.js';
import type { EngineKind } from './engine.js';

// The command in the PATH changes to the user of the service, to whom the directory of a test does not belong.
const PROGRAM = '/usr/lib/rabbitmq/bin/rabbitmq-server';

export const RABBITMQ: EngineKind = {
  scheme: 'amqp',
  program: PROGRAM,
  aptPackage: 'rabbitmq-server',
  async command(port, directory) {
    const { names, distribution } = await freePorts('names', 'distribution');
    return {
      // Erlang's server of names would outlive the broker, unless it is in the same process group.
      program: '/bin/sh',
      args: ['-c', `epmd -port ${names} -address 127.0.0.1 & exec ${PROGRAM}`],
      env: {
        HOME: directory, // of the Erlang cookie
        ERL_EPMD_PORT: names,
        RABBITMQ_DIST_PORT: distribution,
        RABBITMQ_NODENAME: `sealwire-${port}@localhost`,
        RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
        RABBITMQ_NODE_PORT: String(port),
        RABBITMQ_MNESIA_BASE: join(directory, 'mnesia'),
        RABBITMQ_LOG_BASE: join(directory, 'log'),
        RABBITMQ_PID_FILE: join(directory, 'pid'),
        RABBITMQ_CONFIG_FILE: join(directory, 'no-configuration'),
        RABBITMQ_CONF_ENV_FILE: join(directory, 'no-environment'),
        RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'no-plugins'),
        RABBITMQ_LOGS: '-',
      },
    };
  },
  hello: Buffer.from('AMQP\0\0\x09\x01', 'latin1'),
  answer: Buffer.of(1, 0, 0), // a method of channel 0: Connection.Start
};
