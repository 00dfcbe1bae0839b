"""No secret of a foreign line is shown."""

from __future__ import annotations

import pytest

from runner.crontab.mask import mask_line, show_lines


@pytest.mark.parametrize(
    "line",
    [
        "DB_PASSWORD=s3cr3t",
        "MyToken = s3cr3t and more",
        "\t'aws_secret x'=s3cr3t",
        '"API_KEY" = "s3cr3t"',
        "# old: SSH_PRIVATE_KEY=s3cr3t",
        "0 0 * * * env GH_TOKEN=s3cr3t fetch --password=s3cr3t",
        "credentials-file=s3cr3t\r",
    ],
)
def test_the_value_of_a_name_like_a_secrets_is_masked(line: str):
    """CRON-66, PROF-64."""
    assert mask_line(line) == line.partition("=")[0] + "=***"


@pytest.mark.parametrize("line", ["MAILTO=al@example.org", "0 0 * * * pass the token", "FOO = bar", "PASSWORD", ""])
def test_other_lines_are_shown_as_they_are(line: str):
    assert mask_line(line) == line


def test_odd_bytes_are_shown_and_never_dropped():
    assert show_lines(b"a\xe9\r\nb\n") == ["a\\xe9\\r", "b"]
