"""Marks that a person damaged, a block of another place, crontabs that are gone or too long: said, and nothing lost."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_crontab import make_block, make_entry, make_fake_crontab, make_wanted
from homes import Home
from missing import give_up

from runner.crontab.block import split_lines
from runner.crontab.install import install
from runner.errors import UserError
from runner.launch.installed import rest_installed
from runner.launch.instant import parse_instant

ABOVE = b"PATH=/usr/bin:/bin\n# caf\xe9 by hand since 2009\n0 0 * * * true\n"


def damage(home: Home, how: str) -> tuple[bytes, bytes]:
    """Install below foreign lines, have somebody damage the block; return the crontab then, and the block."""
    home.crontab.table = ABOVE
    assert home.runner("crontab", "install").code == 0
    block = (home.crontab.table or b"").removeprefix(ABOVE)
    lines = split_lines(block)
    home.crontab.table = (
        ABOVE
        + {
            "damaged": block.replace(b" digest=", b" digest"),
            "without an end": b"".join(lines[:-1]),
            "without a beginning": b"".join(lines[1:]),
            "doubled": block + block,
            "nested": b"".join([*lines[:4], block, *lines[4:]]),
        }[how]
    )
    return home.crontab.table, block


@pytest.mark.parametrize("command", ["diff", "install", "uninstall"])
@pytest.mark.parametrize("how", ["damaged", "without an end", "without a beginning", "doubled", "nested"])
def test_fault_48_damaged_marks_are_told_with_their_lines_and_nothing_changes(
    home: Home, how: str, command: str
) -> None:
    damage(home, how)
    before = home.tree()
    answer = home.runner("crontab", command)
    assert answer.code == 2
    first, *faults = answer.err.splitlines()
    assert first.startswith("the marks of a block in this crontab are damaged; nothing was changed; mend them by hand")
    assert faults
    assert all(fault.startswith("line") for fault in faults)
    assert home.tree() == before


@pytest.mark.parametrize("how", ["damaged", "without an end", "without a beginning", "doubled", "nested"])
def test_fault_48_a_repair_leaves_one_block_below_the_foreign_lines(home: Home, how: str) -> None:
    old, block = damage(home, how)
    answer = home.runner("crontab", "install", "--repair")
    assert answer.code == 0, answer.err
    assert home.crontab.table == ABOVE + block
    assert old in [path.read_bytes() for path in (home.state / "backups").glob("*.crontab")]


@pytest.mark.parametrize("how", ["damaged", "doubled"])
def test_fault_48_a_repair_may_take_the_block_out_altogether(home: Home, how: str) -> None:
    damage(home, how)
    assert home.runner("crontab", "uninstall", "--repair").code == 0
    assert home.crontab.table == ABOVE


def test_fault_48_a_line_between_damaged_marks_that_we_did_not_write_is_kept_and_told(home: Home) -> None:
    old, block = damage(home, "damaged")
    home.crontab.table = old.replace(b"# END", b"5 5 * * * /by/hand\n# END")
    answer = home.runner("crontab", "install", "--repair")
    assert "stood between our marks, is none that we wrote, and stays: 5 5 * * * /by/hand\n" in answer.err
    assert home.crontab.table == ABOVE + b"5 5 * * * /by/hand\n" + block


def test_fault_48_an_edited_block_is_replaced_only_when_told_so(home: Home) -> None:
    home.crontab.table = ABOVE
    home.runner("crontab", "install")
    installed = home.crontab.table
    home.crontab.table = edited = installed.replace(b"\n30 2 ", b"\n31 2 ")
    for command in ("install", "uninstall"):
        answer = home.runner("crontab", command, "--repair")
        assert (answer.code, home.crontab.table) == (2, edited)
        assert "was edited by hand since it was installed" in answer.err
        assert "\n-31 2 * * * " in answer.err
    assert home.runner("crontab", "install", "--overwrite-edits").code == 0
    assert home.crontab.table == installed
    assert edited in [path.read_bytes() for path in (home.state / "backups").glob("*.crontab")]


def test_fault_48_a_block_in_cron_d_is_repaired_like_any_other(home: Home) -> None:
    if os.geteuid() != 0:
        give_up("needs root")
    home.target({"kind": "cron-d"})
    file = home.cron_d / "runner-lab-here"
    assert home.runner("crontab", "install").code == 0
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"# BEGIN runner lab@here digest=", b"# BEGIN runner lab@here digest:") + b"# x\n")
    assert home.runner("crontab", "install").code == 2
    assert home.runner("crontab", "install", "--repair").code == 0
    assert file.read_bytes() == b"# x\n" + whole


@pytest.mark.parametrize("command", ["diff", "install", "uninstall"])
def test_fault_48_a_crontab_of_20_000_lines_has_one_clear_answer(home: Home, command: str) -> None:
    program = shutil.which("crontab", path="/usr/bin") or give_up("crontab (package cron)")
    home.crontab.change("-n) ;;", f'-n) exec {program} -n "$2" ;;')
    assert home.runner("crontab", "install").code == 0
    home.crontab.table = b"# \xff\n" * 20_000 + (home.crontab.table or b"")
    before = home.tree()
    answer = home.runner("crontab", command)
    assert answer.code == 2
    (line,) = [line for line in answer.err.splitlines() if not line.startswith("warning: ")]
    assert "at most 10000 are safe" in line or "maximum number of lines is 10000" in line
    assert home.tree() == before


@pytest.mark.parametrize(
    "was", [{"user": "al"}, {"hosts": ("old1",)}, {"site": "naasc"}, {"environment": "test"}, {"environment": ""}]
)
def test_fault_49_a_block_for_another_user_host_site_or_environment_is_not_replaced(
    tmp_path: Path, was: dict[str, object]
) -> None:
    fake = make_fake_crontab(tmp_path / "bin")
    fake.table = table = ABOVE + make_block(make_entry("noon", "0 12 * * *"), **was)
    with pytest.raises(UserError, match=r"^line 4: the block of ql@ops that stands there is for "):
        install(fake.order(make_wanted(make_entry("noon", "0 12 * * *"))))
    assert (fake.writes, fake.table) == ([], table)


@pytest.fixture
def file(home: Home) -> Path:
    """The block as an installed file of /etc/cron.d, which another directory stands for."""
    if os.geteuid() != 0:
        give_up("needs root")
    home.target({"kind": "cron-d", "cron": "debian"})
    assert home.runner("crontab", "install").code == 0
    return home.cron_d / "runner-lab-here"


def own_by_nobody(file: Path) -> None:
    os.chown(file, 65534, 65534)


def link_again(file: Path) -> None:
    (file.parent.parent / "again").hardlink_to(file)


def point_to_nothing(file: Path) -> None:
    file.unlink()
    file.symlink_to("/nowhere")


def write_bad_line(file: Path) -> None:
    file.write_bytes(b"61 * * * * root true\n" + file.read_bytes())


def write_no_newline(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"# end")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda file: file.rename(f"{file}.old"), "its name is runner-lab-here.old, of which only "),
        (lambda file: file.chmod(0o664), "its mode is 0664, not 0644"),
        (own_by_nobody, "its owner is uid 65534, not root"),
        (link_again, "it has 2 hard links"),
        (point_to_nothing, "it is a symbolic link that leads to nothing"),
        (write_bad_line, "line 1: bad minute: 61 * * * * root true"),
    ],
)
def test_fault_50_verify_says_why_cron_ignores_a_file_and_an_install_puts_it_right(
    home: Home, file: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    spoil(file)
    answer = home.runner("crontab", "verify")
    assert answer.code == 1
    assert f"cron ignores this file because {reason}" in answer.out
    if spoil is write_bad_line:
        return
    assert home.runner("crontab", "install").code == 0
    assert home.runner("crontab", "verify").out == f"lab@here stands in {file} as it was installed\n"


@pytest.mark.parametrize(("cron", "code"), [("debian", 0), ("cronie", 1)])
def test_fault_50_the_cron_that_a_target_declares_decides_what_is_ignored(
    home: Home, file: Path, cron: str, code: int
) -> None:
    home.target({"kind": "cron-d", "cron": cron})
    file.chmod(0o755)
    assert home.runner("crontab", "verify").code == code


def test_fault_51_a_crontab_that_is_gone_is_found_by_verify(home: Home) -> None:
    assert home.runner("crontab", "install").code == 0
    assert home.runner("crontab", "verify").code == 0
    (home.crontab.directory / "table").unlink()
    answer = home.runner("crontab", "verify", "--json")
    assert answer.code == 1
    assert [one["finding"] for one in answer.objects] == ["absent"]


def test_fault_51_what_cron_no_longer_starts_is_late_once_within_five_minutes_and_a_period(home: Home) -> None:
    """ALERT-17: something else than the crontab calls the sweep."""
    home.job('when: "* * * * *"')
    assert home.runner("crontab", "install", "--yes").code == 0
    rest_installed(str(home.state), "job", time.time() - 900)
    (home.crontab.directory / "table").unlink()

    begun = time.time()
    mails = [home.runner("sweep").err for _ in range(3)]

    late = re.match(r"LATE job \[local\] slot (\S+) has no run\n", mails[0])
    assert late
    assert begun - 360 < parse_instant(late[1]) <= time.time() - 300
    assert mails[1:] == ["", ""]
