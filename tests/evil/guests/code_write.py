# tries: change the code that was approved, and what is installed
# expect: finished
# says: 7 refused
import os

import syft_client as sc
from attempts import attempt, over

attempt("its own script", lambda: open(__file__, "w"))
attempt("new code", lambda: open("evil.py", "w"))
attempt("compiled code", lambda: os.mkdir("__pycache__"))
attempt("the library", lambda: open("/usr/local/lib/python315.zip", "w"))
attempt("the packages", lambda: open(sc.__file__, "w"))
attempt("the root", lambda: open("/x", "w"))
attempt("the folder of the job", lambda: os.rename("/job/outputs", "/job/code2"))
over()
