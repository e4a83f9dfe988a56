import { z } from 'zod';

const text = z.string();

/** `{ "text": "…" }`, or the bare text. */
export const messageSchema = z.union([z.object({ text }), text.transform((bare) => ({ text: bare }))], {
  error: 'expected { "text": "…" }',
});

export type Message = z.infer<typeof messageSchema>;
