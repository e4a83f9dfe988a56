import { Failure, parseOptions } from '../lib/command.mjs';
import { importLibrary, located } from '../lib/library.mjs';

const USAGE = [
  'Usage: npm run keys -- keygen FILE                       makes a key file, mode 0600; never overwrites one',
  '       npm run keys -- id FILE                           prints the key id, which is public, of a key file',
  '       npm run keys -- id --policy mounted-secret FILE   the same for a file that Compose or Kubernetes mounted',
].join('\n');

const POLICIES = ['strict', 'mounted-secret'];

/** `npm run keys`: makes and names key files. */
export async function command(stop) {
  const { verb, file, policy, help } = readArguments();
  if (help) {
    console.log(USAGE);
    return 0;
  }
  if (!['keygen', 'id'].includes(verb) || file === undefined) {
    console.error(USAGE);
    return 1;
  }
  const { createKeyFile, keyId, loadKeyFile } = await importLibrary('crypto/dist/index.js', stop);
  if (verb === 'keygen') {
    const id = await createKeyFile(file);
    console.log(`Made ${file}, key id ${id}. Both sides need the same file: copy it over a channel you trust.`);
  } else {
    const key = await loadKeyFile(file, { policy, warn: (message) => console.error(message) }).catch(explain);
    console.log(keyId(key));
  }
  return 0;
}

// The library does not know of this command.
function explain(error) {
  throw error.code === 'ERR_KEY_FILE_MISSING' ? new Failure(`${error.message} (npm run keys -- keygen FILE)`) : error;
}

function readArguments() {
  const options = { help: { type: 'boolean', short: 'h' }, policy: { type: 'string', default: 'strict' } };
  const { values, positionals } = parseOptions(options, ': see `npm run keys -- --help`.');
  if (!POLICIES.includes(values.policy))
    throw new Failure(`--policy ${String(values.policy)}: choose ${POLICIES.join(' or ')}.`);
  const [verb = '', path, ...more] = positionals;
  return {
    verb,
    help: values.help,
    policy: values.policy,
    file: path && more.length === 0 ? located(path, 'keys') : undefined,
  };
}
