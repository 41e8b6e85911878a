# tries: let SQLite open and write what is outside
# expect: finished
# says: 4 refused
import sqlite3

from attempts import CSV, WORLD, attempt, over

attempt("the token", lambda: sqlite3.connect(f"{WORLD}/token.json").execute("create table t (x)"))
attempt("attached", lambda: sqlite3.connect(":memory:").execute("attach ? as a", [f"{WORLD}/new.db"]))
attempt("the dataset", lambda: sqlite3.connect(CSV).execute("create table t (x)"))
attempt("an extension", lambda: sqlite3.connect(":memory:").execute("select load_extension('/tmp/x.so')"))
over()
