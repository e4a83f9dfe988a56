import type { SealwireServer } from '@sealwire/transport';
import type { LegacyServer } from '@sealwire/transport/legacy';

export function isListening(server: SealwireServer | LegacyServer): boolean {
  try {
    return server.unwrap().listening;
  } catch {
    return false; // it has not listened yet, or was closed
  }
}
