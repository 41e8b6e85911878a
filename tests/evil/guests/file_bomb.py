# tries: fill the disk with one file
# expect: output too large
# limit: output 20M
# leaves: nothing
with open("outputs/big", "wb") as out:
    while True:
        out.write(b"\0" * (1 << 20))
