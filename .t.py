from runner.errors import UserError
import sys
from runner.archive.find.fields import *
from runner.archive.find.parse import *
from runner.archive.settings import *
f=list_fields(read_archive(None))
for e in sys.stdin.read().splitlines():
    try: print(e,'->', parse_expression(e,f))
    except UserError as x: print(x)
for e in ["("*100000,"not "*20000,"a"*200000, " or ".join(["exptime>1"]*600), "exptime > "+"9"*5000, "exptime in ("+",".join("1"*1000)+")"]:
    try: r=parse_expression(e,f); print(str(r)[:80])
    except UserError as x: print(x)
