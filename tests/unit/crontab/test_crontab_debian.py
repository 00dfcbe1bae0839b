"""Debian's own ``crontab``, with a spool of the test's: what comes back through it is what went in.

Each call runs in a mount namespace of its own in which a directory of the test stands in the place of the
spool, so that the host's crontabs stay untouched.
"""

from __future__ import annotations

import getpass
import grp
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from fake_crontab import NOW, FakeCrontab, make_block, make_entry, make_removal, make_wanted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.crontab.install import install, uninstall
from runner.crontab.tables import find_crontab
from runner.errors import TryLater

NOON = make_entry("noon", "0 12 * * *")
PROGRAM = """\
#!/bin/sh
exec unshare --mount --propagation private sh -euc '
mount --bind {spool} /var/spool/cron/crontabs
exec {program} "$@"' sh "$@"
"""


@pytest.fixture
def debian(fake: FakeCrontab, debian_crontab: str) -> FakeCrontab:
    """The fake's directory with the real program in it."""
    can_mount = os.geteuid() == 0 and shutil.which("unshare") is not None
    if not can_mount or subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("root, and a namespace for mounts")
    spool = fake.directory / "spool"
    spool.mkdir()
    os.chown(spool, 0, grp.getgrnam("crontab").gr_gid)
    spool.chmod(0o1730)
    fake.replace(PROGRAM.format(spool=spool, program=debian_crontab))
    return fake


LETTERS = st.sampled_from([b"a", b"\r", b"\b", b"\\", b"r", b"b", b"\t", b"%", b"\xe9", b"\x01", b"#", b'"'])
LINES = st.builds(
    lambda start, rest: start + b"".join(rest) + b"\n",
    st.sampled_from([b"# ", b"A=x", b"\t0 0 * * *  true", b"#", b" B = x"]),
    st.lists(LETTERS, max_size=12),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=5).map(b"".join))
def test_every_byte_is_read_as_it_was_written(debian: FakeCrontab, text: bytes):
    r"""CRON-43: ``crontab -l`` of 3.0pl1-162 lists a carriage return as ``\r`` and a backspace as ``\b``."""
    assert debian.find().write(text) == ""
    assert debian.find().read() == text


def test_install_and_uninstall_leave_crlf_lines_as_they_were(debian: FakeCrontab):
    """FAULT-44."""
    foreign = b"# caf\xe9\r\nA = b\r\n\t0 5 * * *  printf 'x\\r' >>log\r\n0 0 * * * true\n"
    debian.find().write(foreign)
    install(debian.order(make_wanted(NOON)))
    assert debian.find().read() == foreign + make_block(NOON)
    uninstall(debian.order(make_removal()))
    assert debian.find().read() == foreign


def test_a_crontab_that_we_made_is_gone_after_the_uninstall(debian: FakeCrontab):
    """CRON-64."""
    install(debian.order(make_wanted(NOON)))
    uninstall(debian.order(make_removal()))
    assert debian.find().read() is None


def test_a_caller_who_wants_the_header_lines_does_not_double_them(debian: FakeCrontab, monkeypatch: pytest.MonkeyPatch):
    """CRON-42."""
    monkeypatch.setenv("CRONTAB_NOHEADER", "N")
    for minute in range(3):
        install(replace(debian.order(make_wanted(make_entry("a", f"{minute} 1 * * *"))), now=NOW + minute))
    assert debian.find().read() == make_block(make_entry("a", "2 1 * * *"))


DEBIANS_LISTING = r"""#!/bin/sh
[ "$1" = -V ] && { echo '-n (dry run: checks the syntax, then bails out)' >&2; exit 1; }
[ "$1" = -l ] && { printf '0 0 * * * true\\r\n'; exit 0; }
"""


@pytest.mark.parametrize("behind", [b"0 0 * * * true\r\n", b"0 0 * * * true\\r\n"])
def test_what_the_editor_would_get_decides_what_a_listing_means(fake: FakeCrontab, behind: bytes):
    """As above, without root."""
    fake.replace(DEBIANS_LISTING + f"cat {fake.directory}/table\n")
    fake.table = behind
    assert fake.find().read() == behind


def test_a_listing_that_nothing_explains_is_not_believed(fake: FakeCrontab):
    fake.replace(DEBIANS_LISTING + "exit 1\n")
    with pytest.raises(TryLater, match="cannot tell the control characters"):
        fake.find().read()


def test_another_cron_lists_what_there_is(fake: FakeCrontab):
    fake.table = b"0 0 * * * printf '\\r'\n"
    assert fake.find().read() == fake.table
    assert fake.calls == ["-l", "-V"]


def test_the_spool_of_the_host_is_out_of_these_tests(debian: FakeCrontab):
    debian.find().write(b"# only here\n")
    host = find_crontab(getpass.getuser(), os.environ)
    assert host.read() != b"# only here\n"
    assert Path(debian.directory, "spool", "root").exists()
