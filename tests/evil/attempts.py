# What the hostile guests share: an attempt that succeeds is told with a word that no log may have.
import os
import sys

WORLD, PORT = sys.argv[1], int(sys.argv[2])
DATA = f"{os.environ['SYFTBOX_FOLDER']}/{os.environ['SYFTBOX_EMAIL']}/private/syft_datasets/census"
CSV = f"{DATA}/data.csv"
refused = 0


def attempt(name, call):
    global refused
    try:
        got = call()
    except BaseException as error:
        refused += 1
        print(name, "->", type(error).__name__)
    else:
        print(f"GOTCHA {name}: {got!r}")


def over():
    print(refused, "refused")
