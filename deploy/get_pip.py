"""Install pip from PyPI into the virtual environment whose interpreter runs this, with what Python has itself.

For machines without ensurepip and without pip: a bare Debian has neither. A wheel of pip can install itself.
PIP_INDEX_URL names another index, as it does for pip.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import urlopen

TIMEOUT_S = 60
# An anchor of the simple repository API (PEP 503): address, version, digest.
LINK = re.compile(r'href="([^"]*/pip-([0-9.]+)-py3-none-any\.whl)#sha256=([0-9a-f]{64})"')


def main():
    """Fetch the newest release, compare its digest, let it install itself; return the exit code."""
    page = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    try:
        link, version, digest = max(LINK.findall(read(page).decode()), key=order_of)
        wheel = read(urljoin(page, link))
    except (OSError, ValueError) as error:
        return f"get_pip.py: {page}: {error}"
    if hashlib.sha256(wheel).hexdigest() != digest:
        return f"get_pip.py: {link}: its digest is not the one that the index announced"
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"pip-{version}-py3-none-any.whl")
        path.write_bytes(wheel)
        install = [sys.executable, "-I", f"{path}/pip", "install", "--quiet", "--no-index", str(path)]
        return subprocess.run(install, check=False).returncode


def read(url):
    """Return what the index sends."""
    with urlopen(url, timeout=TIMEOUT_S) as answer:
        return answer.read()


def order_of(release):
    """Return a key that sorts versions as numbers."""
    return [int(number) for number in release[1].split(".")]


if __name__ == "__main__":
    sys.exit(main())
