# tries: hold more files open than a process may
# expect: finished
# says: refused True
held = []
try:
    while True:
        held.append(open("outputs/same", "w"))
except OSError:
    print("refused", len(held) > 100)
