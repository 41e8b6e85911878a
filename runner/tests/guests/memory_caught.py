# Asks for more than there is, and copes.
try:
    bytearray(3 << 30)
except MemoryError:
    print("coped")
