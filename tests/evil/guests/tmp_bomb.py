# tries: fill the disk where nobody collects
# expect: output too large
# limit: output 20M
# leaves: nothing
index = 0
while True:
    with open(f"/tmp/{index}", "wb") as out:
        out.write(b"\0" * (1 << 20))
    index += 1
