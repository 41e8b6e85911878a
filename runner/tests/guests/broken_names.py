# Outputs whose names no peer could take, beside one that every peer can.
for name in ["fine.txt", "new\nline", "back\\slash", "C:drive", "\x1b[31mred", "dot.", "ünï.txt"]:
    with open(f"outputs/{name}", "w") as out:
        out.write("x")
