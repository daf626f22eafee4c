import { z } from 'zod';

/** What a clock shows, in ms since 1970. Any whole number that a clock may show, however wrong: nothing that sums can't take. */
export const serverTime = z.number().int().nonnegative();
