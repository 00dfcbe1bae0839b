"""The one rule of what is named like a secret (PROF-64)."""

from __future__ import annotations

import pytest

from runner.launch.scrub import is_secret


@pytest.mark.parametrize(
    "name",
    [
        "PGPASSWORD",
        "db_pass",
        "MySecret",
        "GH_TOKEN",
        "aws_credentials",
        "API_KEY",
        "SSH_PRIVATE_KEY_FILE",
        "access_key",
    ],
)
def test_a_name_with_one_of_the_words_in_any_case_is_a_secrets(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["", "PATH", "KEY", "API", "PUBLIC_KEY", "apikey"])
def test_other_names_are_not(name: str) -> None:
    assert not is_secret(name)
