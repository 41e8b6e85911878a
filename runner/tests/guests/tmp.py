# /tmp is there, empty and writable.
import os
import tempfile

print(os.listdir("/tmp"))
with tempfile.NamedTemporaryFile(delete=False) as file:
    file.write(b"secret")
    print(os.path.dirname(file.name), os.path.expanduser("~"))
with tempfile.TemporaryDirectory() as folder:
    open(os.path.join(folder, "x"), "w").close()
print(len(os.listdir("/tmp")))
