# tries: hold so many files open that what it writes can't be counted any more
# expect: output too large
# leaves: nothing
# limit: output 20M
held = []
try:
    while True:
        held.append(open(f"/tmp/{len(held)}", "wb"))
except OSError:
    held.pop().close()
while True:
    for file in held:
        file.write(bytes(1 << 20))
        file.flush()
