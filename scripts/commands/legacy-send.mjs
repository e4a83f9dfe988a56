import { Failure } from '../lib/failure.mjs';
import { importLibrary, located } from '../lib/library.mjs';

/** `npm run legacy:send`: sends one message on the legacy wire, which is neither authenticated nor answered. */
export async function command(stop, { positionals }) {
  const [target, keyFile, text] = positionals;
  const { host, port } = parseTarget(target);
  const { LegacyClient } = await importLibrary('transport/dist/legacy/index.js', stop);
  const client = new LegacyClient({
    host,
    port,
    keyFile: located(keyFile, 'legacy:send'),
    channelKeyring: undefined,
    warn: (message) => console.error(message),
  });
  await sent(client.send('message', text), stop);
  console.log(`Sent ${Buffer.byteLength(text)} bytes of text to ${target}. The legacy wire has no answer.`);
  return 0;
}

function parseTarget(target) {
  const [, bracketed, name, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(target) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65_535) {
    throw new Failure(`${JSON.stringify(target)} is not HOST:PORT: see \`npm run legacy:send -- --help\`.`);
  }
  return { host: bracketed ?? name, port };
}

/** Resolves when the message was sent. @param {AbortSignal} stop - Ends the attempt. */
function sent(sending, stop) {
  return new Promise((resolve, reject) => {
    const subscription = sending.subscribe({ complete: resolve, error: reject });
    stop.addEventListener('abort', () => {
      subscription.unsubscribe();
      reject(stop.reason);
    });
  });
}
