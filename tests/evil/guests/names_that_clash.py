# tries: outputs that are one file where letters' case or Unicode forms don't count
# expect: finished
# leaves: A.txt, a.txt, café.txt, café.txt
for name in ["a.txt", "A.txt", "caf\u00e9.txt", "cafe\u0301.txt"]:
    with open(f"outputs/{name}", "w") as out:
        out.write(ascii(name))
