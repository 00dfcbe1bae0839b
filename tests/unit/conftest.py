from pathlib import Path

import pytest
from homes import Home, make_home


@pytest.fixture
def home(
    tmp_path: Path, machine_files: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Home:
    """A home to call ``runner`` on."""
    return make_home(tmp_path / "home", machine_files, capfd, monkeypatch)
