-- A UUID of version 7: a moment in ms that moves on every 4096 keys, so that the new keys are in the order of the old ones.
printf('%08x-%04x-7%03x-%04x-%012x', ({{ms}} + place / 4096) >> 16, ({{ms}} + place / 4096) & 65535, place % 4096, 32768 | (random() & 16383), random() & 281474976710655)
