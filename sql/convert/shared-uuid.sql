-- A UUID of version 8: 58 bits of the table's name, and the old key as it is (its upper 16 bits, and the lower 48).
printf({{format}}, (old >> 48) & 65535, old & 281474976710655)
