"""``runner find``: the command over a home, its index and its settings (ARCH-40 to ARCH-43)."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from astropy.table import Table
from astropy.units import Unit
from homes import SITE, Home
from indexes import File, fill, read_columns

from runner.archive.find.find import find
from runner.database.connect import connect
from runner.errors import TryLater, UserError
from runner.launch.state import make_state

SETTINGS = """\
header: true
columns:
  gain: {keyword: GAIN, type: float, hdu: each, unit: electron}
expected:
  calibrated: {each: "*_raw.fits", needs: ["*_flt.fits", "*_drz.fits"]}
"""
FILES = [
    File("n1/ib1_raw.fits", {"instrume": "WFC3", "exptime": 100.0, "ra": 150.1, "dec": 2.2}, [{"gain": 1.5}]),
    File("n1/ib2_raw.fits", {"instrume": "ACS", "exptime": None}, cards=[["GAIN", "high", ""]]),
    File("n1/ib1_flt.fits", {"object": "\x1b[31mM 31"}),
    File("n2/ib1_drz.fits"),
    File("n2/ib2_flt.fits", state="bad"),
]
RAW = 'path like "%_raw.fits"'


@pytest.fixture(scope="module")
def database_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of five files, one of them bad: to make its tables takes longer than to ask it."""
    path = tmp_path_factory.mktemp("index") / "runner.db"
    with connect(f"sqlite:///{path}") as database:
        fill(database, read_columns(SETTINGS.encode()), FILES)
    return path


@pytest.fixture
def archive(home: Home, database_file: Path) -> Home:
    """A home with that index."""
    home.write("envs/archive.yaml", SETTINGS)
    make_state(str(home.state))
    shutil.copy(database_file, home.state)
    return home


def test_the_answer_is_a_table_of_what_is_most_asked_for(archive: Home) -> None:
    answer = archive.runner("find", f"{RAW} and exptime > 1")
    assert answer.out.splitlines() == [
        "PATH             INSTRUME  FILTER  OBJECT  RA     DEC  OBS_AT  EXPTIME",
        "n1/ib1_raw.fits  WFC3                      150.1  2.2          100.0",
    ]
    assert (answer.code, answer.err) == (0, "")


def test_columns_order_and_number_are_chosen(archive: Home) -> None:
    answer = archive.runner("find", "-c", "file,EXPTIME,header.GAIN", "--sort", "-path", "-n", "2", "--json", RAW)
    assert answer.objects == [
        {"file": "/data/n1/ib2_raw.fits", "exptime": None, "header.GAIN": "high"},
        {"file": "/data/n1/ib1_raw.fits", "exptime": 100.0, "header.GAIN": None},
    ]


def test_each_hdu_has_a_row_where_one_is_asked_for(archive: Home) -> None:
    answer = archive.runner("find", "gain > 1", "--format", "csv", "--columns", "path,number,gain")
    assert answer.out == "path,number,gain\nn1/ib1_raw.fits,1,1.5\n"
    assert len(archive.runner("find", "--hdus", "--json").objects) == 5


def test_files_are_counted(archive: Home) -> None:
    assert archive.runner("find", "--count").out == "4\n"
    assert archive.runner("find", "--count", "--all").out == "5\n"
    assert archive.runner("find", RAW, "--count", "--json").objects == [{"count": 2}]


@pytest.mark.parametrize("name", ["answer.csv", "answer.jsonl", "answer.vot", "answer.fits"])
def test_the_answer_goes_into_a_file_of_the_format_of_its_name(archive: Home, tmp_path: Path, name: str) -> None:
    answer = archive.runner("find", RAW, "-o", str(tmp_path / name), "-c", "path,exptime")
    assert (answer.code, answer.out) == (0, "")
    if name.endswith((".vot", ".fits")):
        table = Table.read(tmp_path / name)
        assert (list(table["exptime"].mask), table["exptime"].unit) == ([False, True], Unit("s"))
    assert b"ib1_raw.fits" in (tmp_path / name).read_bytes()


def test_a_mistake_is_shown_at_its_place_and_changes_nothing(archive: Home, tmp_path: Path) -> None:
    before = (tmp_path / "answer.csv").write_text("old")
    answer = archive.runner("find", "exptme > 1", "-o", str(tmp_path / "answer.csv"))
    assert answer.err.splitlines() == [
        'character 1: no column is called "exptme"; did you mean "exptime"?',
        "  exptme > 1",
        "  ^",
    ]
    assert (answer.code, (tmp_path / "answer.csv").read_text(), before) == (2, "old", 3)


def test_nothing_that_is_found_is_an_answer(archive: Home, home: Home) -> None:
    answer = archive.runner("find", "exptime > 1e9")
    assert (answer.code, answer.out, answer.err) == (0, "", "nothing is found\n")
    assert archive.runner("find", "exptime > 1e9", "--json").out == ""


def test_a_home_that_has_never_indexed_says_so(home: Home) -> None:
    answer = home.runner("find")
    assert (answer.code, answer.out, answer.err) == (0, "", 'nothing is indexed yet; run "runner index PATH"\n')


def test_a_terminal_gets_no_control_characters_and_no_fits(archive: Home) -> None:
    def ask(*words: str) -> str:
        reader, writer = pty.openpty()
        command = [sys.executable, "-m", "runner.cli.main", "--home", str(archive.path), "find", *words]
        subprocess.run(command, stdout=writer, stderr=writer, check=False, env={"PATH": "", "TERM": "dumb"})
        os.close(writer)
        with open(reader, "rb") as file:
            return file.read1(100_000).decode()

    for words in ((), ("--format", "csv")):
        answer = ask('object like "%M 31"', "-c", "object", *words)
        assert "M 31" in answer
        assert "\x1b" not in answer
    assert "nothing for a terminal; write it with -o FILE" in ask("--format", "fits")


def test_rows_for_other_programs_come_without_astropy_and_numpy(archive: Home) -> None:
    code = (
        "import sys; from runner.cli.main import run; run(sys.argv[1:]);"
        "print(sorted({'astropy', 'numpy', 'alembic', 'rich'} & set(sys.modules)))"
    )
    for format in ("csv", "table"):
        command = [sys.executable, "-c", code, "--home", str(archive.path), "find", "--format", format]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1] == "[]"


# What is missing


def test_exposures_that_lack_something_are_named_and_the_answer_is_no(archive: Home) -> None:
    answer = archive.runner("find", "--missing")
    assert answer.out.splitlines() == [
        "RULE        EXPOSURE      THERE  MISSING",
        "calibrated  ib2_raw.fits         ib2_flt.fits, ib2_drz.fits",
        "1 of 2 exposures lack something",
    ]
    assert answer.code == 1


def test_an_expression_says_of_which_exposures_and_a_rule_can_be_written(archive: Home) -> None:
    answer = archive.runner("find", 'instrume = "WFC3"', "--missing", "calibrated")
    assert (answer.code, answer.out) == (0, "0 of 1 exposures lack something\n")
    answer = archive.runner("find", "--missing", "*_raw.fits: *_flt.fits", "--all", "--json")
    assert (answer.code, answer.out) == (0, "")
    answer = archive.runner("find", "--missing", "*_flt.fits: *_crj.fits", "--missing", "calibrated", "--json")
    assert [(one["exposure"], one["there"], one["missing"]) for one in answer.objects] == [
        ("ib1_flt.fits", [], ["ib1_crj.fits"]),
        ("ib2_raw.fits", [], ["ib2_flt.fits", "ib2_drz.fits"]),
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--missing", "calibrate"], 'no rule is called "calibrate"; did you mean "calibrated"?'),
        (["--missing", "calibrated", "--sort", "path"], "--missing has an answer of its own, without --sort"),
        (["--missing", "calibrated", "--format", "csv"], "--missing has an answer of its own, without --format"),
        (["--count", "-o", "answer.csv"], "--count has an answer of its own, without --output"),
        (["-o", "answer.txt"], "answer.txt: in which format?"),
        (["-c", "path,"], "character 6: the name of a column is expected where it ends"),
        (["--sort", "header.GAIN"], "character 1: a value of a header has no type to sort by"),
    ],
)
def test_what_cannot_be_answered_is_refused(archive: Home, words: list[str], message: str) -> None:
    answer = archive.runner("find", *words)
    assert answer.code == 2
    assert message in answer.err


def test_without_a_rule_nothing_can_be_missing(home: Home) -> None:
    answer = home.runner("find", "--missing")
    assert answer.code == 2
    assert "there is no rule of what is expected" in answer.err


# In Python


def test_a_job_gets_a_table_with_units(archive: Home) -> None:
    table = find("exptime > 1", columns=["path", "exptime", "gain"], home=archive.path)
    assert (table["exptime"].unit, table["gain"].description) == (Unit("s"), "FITS GAIN")
    assert [tuple(row) for row in table.filled(0)] == [("n1/ib1_raw.fits", 100.0, 0.0), ("n1/ib1_raw.fits", 100.0, 1.5)]


def test_a_job_finds_its_home_as_a_command_does(archive: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNNER_HOME", str(archive.path))
    assert list(find(sort=["-path"], columns=["path"], limit=1)["path"]) == ["n2/ib1_drz.fits"]
    assert len(find(every_state=True)) == 5
    assert len(find('state = "bad"', hdus=True)) == 1


def test_a_job_is_told_what_is_wrong(archive: Home) -> None:
    with pytest.raises(UserError, match="character 1: no column"):
        find("nothing = 1", home=archive.path)
    archive.write("envs/site.yaml", f"{SITE}database: sqlite:////nonexistent/x.db\n")
    with pytest.raises(TryLater):
        find(home=archive.path)


# On a command line


def test_columns_and_rules_are_completed(archive: Home) -> None:
    def complete(line: str) -> set[str]:
        environment = {
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split(" ")) - 1),
            "_RUNNER_COMPLETE": "bash_complete",
        }
        code = "from runner.cli.main import cli; cli(prog_name='runner')"
        env = {**os.environ, **environment, "RUNNER_HOME": str(archive.path)}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        return {word.partition(",")[2] for word in done.stdout.splitlines()}

    assert complete("runner find --columns ga") == {"gain"}
    assert complete("runner find --columns path,exp") >= {"path,exptime", "path,expstart"}
    assert complete("runner find --sort path,-gai") == {"path,-gain"}
    assert complete("runner find --missing c") == {"calibrated"}
