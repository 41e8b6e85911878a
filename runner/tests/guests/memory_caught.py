# Asks for more than there is, and copes.
try:
    bytearray(1 << 30)
except MemoryError:
    print("coped")
