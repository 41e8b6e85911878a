# tries: make a file large without a write
# expect: output too large
# leaves: nothing
with open("outputs/hole", "wb") as out:
    out.truncate(1 << 40)
