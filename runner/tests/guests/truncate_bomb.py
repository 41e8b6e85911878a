# A file that is made large without a write.
with open("outputs/hole", "wb") as out:
    out.truncate(1 << 40)
