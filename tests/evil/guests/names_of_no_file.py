# tries: outputs whose names no peer could take
# expect: finished
# leaves: fine.txt, ünï.txt
import os

for name in ["fine.txt", "new\nline", "back\\slash", "C:drive", "\x1b[31mred", "\x7f", "ünï.txt"]:
    with open(f"outputs/{name}", "w") as out:
        out.write("x")
for name in [b"\xff\xfe", b"a\xed\xa0\x80", b"x" * 300, b"nul\0"]:
    try:
        open(b"outputs/" + name, "w")
        print("GOTCHA", name)
    except (OSError, ValueError):
        pass
os.makedirs("outputs/" + "/".join(["deep"] * 40))
open("outputs/" + "/".join(["deep"] * 40) + "/file", "w").close()
