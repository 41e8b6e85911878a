# tries: files that claim to be far larger together than what was written, each within the limit
# expect: output too large
# leaves: nothing
# limit: output 20M
for index in range(100):
    with open(f"outputs/{index}", "wb") as out:
        out.seek(19 << 20)
        out.write(b"x")
