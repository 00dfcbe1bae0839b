"""What a test does where the machine lacks something: skipped here, failed where nothing may be lacking."""

import os
import subprocess
from typing import NoReturn

import pytest


def give_up(reason: str) -> NoReturn:
    """Skip the test and name what is missing; with ``RUNNER_TEST_STRICT=1``, as in CI, fail."""
    if os.environ.get("RUNNER_TEST_STRICT") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def need_namespaces(options: str = "-rm") -> None:
    """Give up where ``unshare`` may not make a user namespace and, by `options`, others."""
    if subprocess.run(["unshare", options, "true"], capture_output=True, check=False).returncode:
        give_up(f"no user and mount namespaces (unshare {options})")
