-- A random UUID of version 7, for rows that are inserted without a key.
(printf('%08x-%04x-7%03x-%04x-%012x', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) >> 16, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) & 65535, random() & 4095, 32768 | (random() & 16383), random() & 281474976710655))
