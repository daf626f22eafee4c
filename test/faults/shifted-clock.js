// Loaded into a replica's process (NODE_OPTIONS): its clock is off by as many ms as a file says, which may change.
import { readFileSync } from 'node:fs';

const now = Date.now.bind(Date);
Date.now = () => now() + Number(readFileSync(process.env.TEST_CLOCK_FILE, 'utf8'));
