import sqlite3

import pandas

with sqlite3.connect("outputs/results.db") as database:
    database.execute("create table people (name text, age int)")
    database.executemany("insert into people values (?, ?)", [("Ann", 30), ("Bob", 50)])
database.close()
database = sqlite3.connect("outputs/results.db")
print(pandas.read_sql("select avg(age) as age from people", database)["age"][0])
with database:
    database.execute("delete from people where name = 'Ann'")
print(database.execute("select count(*) from people").fetchone()[0])
