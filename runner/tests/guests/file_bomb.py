# Fills the disk.
with open("outputs/big", "wb") as out:
    while True:
        out.write(b"\0" * (1 << 20))
