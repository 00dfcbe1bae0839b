from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user gets to, unlike those that pytest makes."""
    directory = Path(tempfile.mkdtemp(prefix="runner-security-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)
