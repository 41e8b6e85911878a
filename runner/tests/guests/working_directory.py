# What a script may take for granted about the place that it runs in.
import glob
import os
import sys
from pathlib import Path

print("cwd", os.getcwd())
print("argv", sys.argv)
print("name", __name__)
os.makedirs("outputs", exist_ok=True)
with open("outputs/x.txt", "w") as out:
    out.write("relative\n")
Path("outputs/deep/er").mkdir(parents=True)
Path("outputs/deep/er/y.txt").write_text("deep\n")
os.rename("outputs/deep/er/y.txt", "outputs/deep/z.txt")
Path(os.getcwd(), "outputs", "absolute.txt").write_text("absolute\n")
print("outputs", sorted(glob.glob("outputs/**/*.txt", recursive=True)))
print("input", repr(sys.stdin.read()))
print("beside", open("notes/read me.txt").read())
