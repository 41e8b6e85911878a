# tries: read the code and the results of other jobs
# expect: finished
# says: 7 refused
# says: ['code', 'outputs']
import os

from attempts import WORLD, attempt, over

jobs = "SyftBox/do@test.org/app_data/job"
for path in [
    f"{WORLD}/{jobs}/inbox/eve@test.org/v1/theirs/code/main.py",
    f"{WORLD}/{jobs}/review/eve@test.org/v1/theirs/outputs/r.csv",
    "../../../../eve@test.org/v1/theirs/code/main.py",
    "/job/../theirs/code/main.py",
    "/syftbox/do@test.org/app_data/job/inbox",
    f"{WORLD}/SyftBox/.syftbox/running",
]:
    attempt(path, lambda: open(path).read())
attempt("approving itself", lambda: os.mkdir(f"{WORLD}/{jobs}/approvals"))
print(sorted(os.listdir("/job")))
over()
