# Calls itself, past what Python allows and past what it can hold.
import sys


def deeper(n):
    return deeper(n + 1)


try:
    deeper(0)
except RecursionError:
    print("refused")
sys.setrecursionlimit(10**9)
deeper(0)
