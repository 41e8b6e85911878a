# tries: read the owner's token, by every name that it could have
# expect: finished
# says: 11 refused
import os

from attempts import WORLD, attempt, over

TOKEN = f"{WORLD}/token.json"
climb = "../" * 40
attempt("its path", lambda: open(TOKEN).read())
attempt("from the root", lambda: open("/" + climb + TOKEN).read())
attempt("from the code", lambda: open(climb + TOKEN.lstrip("/")).read())
attempt("from outputs", lambda: open("outputs/" + climb + TOKEN.lstrip("/")).read())
attempt("beside the folder", lambda: open("/syftbox/../token.json").read())
attempt("by its folder", lambda: os.listdir(WORLD))
attempt("going there", lambda: os.chdir(WORLD))
attempt("asking", lambda: os.stat(TOKEN))
attempt("climbing", lambda: os.open(climb, os.O_RDONLY))
attempt("another account's", lambda: open(os.path.expanduser("~/../" + TOKEN)).read())
attempt("copying", lambda: os.rename(TOKEN, "outputs/token"))
over()
