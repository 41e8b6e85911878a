# tries: a million empty files
# expect: output too large
# because: of 10000 files
# leaves: nothing
for index in range(1_000_000):
    open(f"outputs/{index}", "w").close()
