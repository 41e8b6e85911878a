# tries: take all memory there is
# expect: out of memory
# says: MemoryError
# limit: memory 256M
hoard = []
while True:
    hoard.append(bytearray(1 << 20))
