# tries: a file that claims to be far larger than what was written
# expect: output too large
# leaves: nothing
with open("outputs/sparse", "wb") as out:
    out.seek(10 << 30)
    out.write(b"x")
