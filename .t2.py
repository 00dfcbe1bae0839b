import sys; sys.path[:0]=["tests/benchmarks","tests"]
import find_bench; from find_bench import *
from runner.archive.find.query import plan_rows
find_bench._FILES=200000
import os
if os.path.exists("/tmp/find-bench.db"): os.unlink("/tmp/find-bench.db")
with connect("sqlite:////tmp/find-bench.db") as db:
    fill(db, read_archive(None)); index=Index(db, read_archive(None))
    s=plan_rows(make_question(index.fields, find_bench._QUESTIONS["two cones"]), is_sqlite=True)
    print(s.sql)
    for r in db.read("EXPLAIN QUERY PLAN "+s.sql, s.values): print(r)
    c=s.sql.replace("primary_hdu.dec BETWEEN","primary_hdu.number = 0 AND primary_hdu.dec BETWEEN")
    for r in db.read("EXPLAIN QUERY PLAN "+c, s.values): print(r)
