# A file that claims to be far larger than what was written.
with open("outputs/sparse", "wb") as out:
    out.seek(1 << 40)
    out.write(b"x")
