import { importLibrary } from '../lib/library.mjs';

/** `npm run keys`: runs the command line of the transport, which is `sealwire` if the package is installed. */
export async function command(stop) {
  const { run } = await importLibrary('transport/dist/cli/run.js', stop);
  const { Terminal } = await importLibrary('transport/dist/cli/terminal.js', stop);
  // npm runs scripts at the top of the repository; a path is relative to the folder of the user.
  const { env } = process;
  if (env.npm_lifecycle_event === 'keys' && env.INIT_CWD) process.chdir(env.INIT_CWD);
  const terminal = new Terminal(process, env);
  return run({ args: process.argv.slice(2), environment: env, terminal, program: 'npm run keys --' });
}
