# tries: have its own code lead to the token
# expect: finished
# says: 4 refused
# with: symlink settings.json -> WORLD/token.json
# with: symlink near.json -> ../../../../../../../../../token.json
# with: symlink loop -> loop
# with: symlink here -> WORLD
import os

from attempts import attempt, over

attempt("a file", lambda: open("settings.json").read())
attempt("a relative one", lambda: open("near.json").read())
attempt("a loop", lambda: open("loop").read())
attempt("a folder", lambda: open("here/token.json").read() + str(os.listdir("here")))
over()
