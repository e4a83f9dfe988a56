import { promisify } from 'node:util';
import {
  credentials,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type handleUnaryCall,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import type { ConnectedClient, Peer, Setting } from '../peer.js';
import { GRPC_LIMITS } from '../raised-limits.js';
import { missingCertificate } from './nest-tls.js';
import { HOST } from './nest.js';

/** What travels: a text or bytes, so that no payload is JSON inside of protobuf. */
interface Payload {
  readonly text?: string;
  readonly bytes?: Uint8Array;
}

const PROTO: Parameters<typeof fromJSON>[0] = {
  nested: {
    bench: {
      nested: {
        Payload: { fields: { text: { type: 'string', id: 1 }, bytes: { type: 'bytes', id: 2 } } },
        Echoes: { methods: { Echo: { requestType: 'Payload', responseType: 'Payload', comment: '' } } },
      },
    },
  },
};
const { bench } = loadPackageDefinition(fromJSON(PROTO)) as unknown as {
  readonly bench: { readonly Echoes: ServiceClientConstructor };
};

/** The gRPC of JavaScript over TLS, without Nest around it. */
export const grpc: Peer = {
  name: 'grpc',
  missing: missingCertificate,
  serve: async (setting) => {
    const server = new Server(limitsOf(setting));
    const echo: handleUnaryCall<Payload, Payload> = (call, answer) => answer(null, call.request);
    server.addService(bench.Echoes.service, { Echo: echo });
    const { certificate } = setting.secrets;
    const pair = { private_key: Buffer.from(certificate?.key ?? ''), cert_chain: Buffer.from(certificate?.cert ?? '') };
    const bind = promisify(server.bindAsync.bind(server));
    const port = await bind(`${HOST}:0`, ServerCredentials.createSsl(null, [pair]));
    return { port, close: () => server.forceShutdown() };
  },
  connect: async (setting, port): Promise<ConnectedClient> => {
    const ca = Buffer.from(setting.secrets.certificate?.cert ?? '');
    const client = new bench.Echoes(`${HOST}:${port}`, credentials.createSsl(ca), {
      ...limitsOf(setting),
      'grpc.ssl_target_name_override': 'localhost', // TLS sends no addresses as names
    });
    await promisify(client.waitForReady.bind(client))(Date.now() + READY_MS);
    const echo = client['Echo'] as (
      request: unknown,
      done: (error: ServiceError | null, answer: Payload) => void,
    ) => void;
    return {
      request(payload, done) {
        const isBytes = payload instanceof Uint8Array;
        echo.call(client, isBytes ? { bytes: payload } : payload, (error, answer) => {
          done(error ?? undefined, isBytes ? answer?.bytes : answer);
        });
      },
      close: () => client.close(),
    };
  },
};

const READY_MS = 5000;

function limitsOf({ limits }: Setting): Partial<typeof GRPC_LIMITS> {
  return limits === 'raised' ? GRPC_LIMITS : {};
}
