// In which forms a secret could stand where it should not: in a log, an error, a dump of an object, or a heap.

/** Every way in which `secret` may have become text. */
export function formsOf(secret: Uint8Array): Readonly<Record<string, string>> {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  return {
    hex,
    'HEX in capitals': hex.toUpperCase(),
    'hex as Node prints a Buffer': hex.replaceAll(/(..)(?=.)/g, '$1 '),
    // Without what completes the last group: it looks different when more follows.
    base64: bytes.toString('base64').slice(0, Math.floor(bytes.length / 3) * 4),
    base64url: bytes.toString('base64url').slice(0, Math.floor(bytes.length / 3) * 4),
    'decimal list': [...bytes].join(','),
    'decimal list as Node prints it': [...bytes.subarray(0, 12)].map((byte) => String(byte).padStart(3)).join(', '),
    latin1: longestWithoutNul(bytes).toString('latin1'),
    // Node replaces bytes that are not UTF-8, so the result is not the secret, but it would show that it was printed.
    utf8: longestWithoutNul(bytes).toString('utf8'),
  };
}

/** The secrets, and in which form, that stand in any of the texts: `name (form)`. */
export function findSecrets(
  texts: readonly string[],
  secrets: Readonly<Record<string, Uint8Array>>,
): readonly string[] {
  const needles = Object.entries(secrets).flatMap(([name, secret]) =>
    Object.entries(formsOf(secret)).map(([form, needle]) => ({ found: `${name} (${form})`, needle })),
  );
  const isIn = (text: string, needle: string): boolean =>
    text.includes(needle) ||
    text.includes(JSON.stringify(needle).slice(1, -1)) ||
    text.includes(needle.replaceAll('\uFFFD', '???')); // as a heap snapshot has that
  return needles.filter(({ needle }) => texts.some((text) => isIn(text, needle))).map(({ found }) => found);
}

/** The same in what a program has printed, where a secret may also stand as it is: `name (bytes)`. */
export function findSecretsInOutput(
  output: readonly Buffer[],
  secrets: Readonly<Record<string, Uint8Array>>,
): readonly string[] {
  const isPrinted = (secret: Uint8Array): boolean => output.some((bytes) => bytes.includes(Buffer.from(secret)));
  const inBytes = Object.entries(secrets).filter(([, secret]) => isPrinted(secret));
  return [...findSecrets(output.map(String), secrets), ...inBytes.map(([name]) => `${name} (bytes)`)];
}

/** A heap snapshot ends a text at its first NUL. */
function longestWithoutNul(bytes: Buffer): Buffer {
  let longest: Buffer = Buffer.alloc(0);
  for (let start = 0; start < bytes.length;) {
    const nul = bytes.indexOf(0, start);
    const end = nul === -1 ? bytes.length : nul;
    if (end - start > longest.length) longest = bytes.subarray(start, end);
    start = end + 1;
  }
  return longest;
}
