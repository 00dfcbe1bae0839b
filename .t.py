import sys; sys.path[:0]=["tests/benchmarks","tests"]
import find_bench, tempfile
from pathlib import Path
import time
from measure import Figure
find_bench._call=lambda *a: iter(())
with tempfile.TemporaryDirectory() as d:
    for f in find_bench.run_benchmarks(Path(d)): print(f, flush=True)
