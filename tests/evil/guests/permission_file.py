# tries: decide itself who may read its results
# expect: finished
# leaves: r.csv
import os

RULES = "rules:\n- pattern: '**'\n  access:\n    read: ['*']\n"
for name in ["syft.pub.yaml", "deep/syft.pub.yaml", "SYFT.PUB.YAML", "Syft.Pub.Yaml"]:
    os.makedirs(os.path.dirname(f"outputs/{name}"), exist_ok=True)
    with open(f"outputs/{name}", "w") as out:
        out.write(RULES)
open("outputs/r.csv", "w").close()
