# Tries to put names into outputs that lead elsewhere.
import os

for name, make in [
    ("symlink", lambda: os.symlink("../../../../etc/passwd", "outputs/passwd")),
    ("absolute", lambda: os.symlink("/etc/passwd", "outputs/absolute")),
    ("folder", lambda: os.symlink("/", "outputs/root")),
    ("hard", lambda: os.link("main.py", "outputs/hard")),
    ("device", lambda: os.mkfifo("outputs/fifo")),
    ("parent", lambda: open("outputs/../../escaped", "w")),
    ("rename", lambda: os.rename("outputs/mine", "../escaped")),
]:
    open("outputs/mine", "w").close()
    try:
        make()
        print(name, "done")
    except (OSError, AttributeError) as error:
        print(name, type(error).__name__)
