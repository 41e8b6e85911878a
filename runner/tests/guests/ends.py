# What a script leaves to its end: exit functions, and files that nobody closed.
import atexit
import gzip
import sys
import types
import zipfile


class Dies:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone:", self.name)


atexit.register(print, "at exit")
held = open("outputs/held.txt", "w")
held.write("x" * 100)
packed = gzip.open("outputs/packed.gz", "wt")
packed.write("hello")
archive = zipfile.ZipFile("outputs/archive.zip", "w")
archive.writestr("a", "b")
here = Dies("here")
circle = Dies("circle")
circle.itself = circle
module = sys.modules["one_of_its_own"] = types.ModuleType("one_of_its_own")
module.file = open("outputs/in_module.txt", "w")
module.file.write("y" * 50)


def refers():
    return held


def hold():
    file = open("outputs/in_function.bin", "wb")
    file.write(b"z" * 70)
    return lambda: file


sys.kept = hold()
print("end")
