import { runCommand } from '../../scripts/lib/command.mjs';
import { command } from './run.mjs';

await runCommand(command);
