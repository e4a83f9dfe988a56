// docs/envelope.md §3 to §5 once more, written for its size: the parsers of tests compare theirs with it.
import { openA128CbcHs256 } from '@sealwire/crypto';

const PARTS = /^([\w-]{1,1366})\.\.([\w-]{22})\.([\w-]+)\.([\w-]{22})$/;
const STRINGS = /"(?:[^"\\]|\\.)*"/g;
const NAMES = 'alg,aud,enc,iat,jti,kid,sub,typ';

/** Returns the plaintext; undefined for everything that must be refused before the claims are checked. */
export function openPlainly(cek: Uint8Array, kid: string, envelope: Uint8Array): Uint8Array | undefined {
  const [, ...texts] = PARTS.exec(Buffer.from(envelope).toString('latin1')) ?? [];
  const [header, iv, ciphertext, tag] = texts.map((text) => Buffer.from(text, 'base64url'));
  if (header === undefined || iv === undefined || ciphertext === undefined || tag === undefined) return undefined;
  const isCanonical = [header, iv, ciphertext, tag].every((bytes, at) => bytes.toString('base64url') === texts[at]);
  if (!isCanonical || !isHeader(header, kid)) return undefined;
  try {
    return openA128CbcHs256(cek, iv, Buffer.from(texts[0] ?? ''), Buffer.concat([ciphertext, tag]));
  } catch {
    return undefined;
  }
}

/** Whether a header has the form of §3 and names this key. */
function isHeader(bytes: Buffer, expectedKid: string): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const header = JSON.parse(text) as Record<string, unknown>;
    const { alg, enc, typ, kid, aud, sub, iat, jti } = header;
    const outside = text.replaceAll(STRINGS, '');
    return (
      Object.keys(header).sort().join() === NAMES &&
      outside.split(':').length === 9 && // a member that occurs twice is one that JSON.parse does not show
      [alg, enc, typ, kid].join() === `dir,A128CBC-HS256,sealwire+jwe,${expectedKid}` &&
      [alg, enc, typ, kid, aud, sub, jti].every(
        (value) => typeof value === 'string' && encodeURIComponent(value) !== '',
      ) &&
      Number.isSafeInteger(iat) &&
      /^[{,:\s]*(?:0|[1-9]\d*)[},:\s]*$/.test(outside) &&
      isJti(String(jti))
    );
  } catch {
    return false;
  }
}

function isJti(jti: string): boolean {
  const [sender = '', counter = '', ...others] = jti.split('.');
  const bytes = Buffer.from(sender, 'base64url');
  const isSender = bytes.length === 16 && bytes.toString('base64url') === sender;
  return (
    others.length === 0 &&
    isSender &&
    Number.isSafeInteger(Number(counter)) &&
    String(Number(counter)) === counter &&
    !counter.startsWith('-')
  );
}
