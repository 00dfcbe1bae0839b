"""URLs, passwords, and a database that does not answer: one clear line (DESIGN section 7)."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runner.database.connect import connect
from runner.database.database import hide_password
from runner.errors import TryLater, UserError


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////data/runner.db", "sqlite:////data/runner.db"),
        ("postgresql+psycopg2://runner@db/runner", "postgresql+psycopg2://runner@db/runner"),
        ("postgresql://runner:s3cret@db:5432/runner", "postgresql://runner:***@db:5432/runner"),
        ("postgresql://runner:p@ss/w:rd@db/runner", "postgresql://runner:***@db/runner"),
        ("postgresql://db/runner?user=u&password=s3cret&x=1", "postgresql://db/runner?user=u&password=***&x=1"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert hide_password(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg2://u:s3cret@127.0.0.1:1/x",
        "postgresql://u:s3cret@/x?host=/nonexistent",
        "sqlite:////nonexistent/x.db",
    ],
)
def test_a_database_that_does_not_answer_is_trouble_of_the_site(url: str) -> None:
    with pytest.raises(TryLater) as caught:
        connect(url)

    assert str(caught.value).startswith(f"ledger {hide_password(url)}: ")
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_who_begins_a_new_file_waits_for_another_who_is_in_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TryLater, match="locked"):
        connect(url, patience_s=0.05)
    leave = threading.Timer(0.3, other.execute, ["COMMIT"])
    leave.start()

    with connect(url, patience_s=30.0) as database:
        assert database.read("PRAGMA journal_mode") == [("wal",)]

    leave.join()
    other.close()


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("something else" * 100)

    with pytest.raises(TryLater, match="file is not a database"):
        connect(f"sqlite:///{tmp_path}/x.db")


@pytest.mark.parametrize(
    "url", ["postgresql://u:s3cret@h/x?no=option", "postgresql://u:p@s3cret@h/x", "postgresql://u:p/s3cret@h/x"]
)
def test_a_url_that_libpq_does_not_understand_is_the_users_mistake(url: str) -> None:
    with pytest.raises(UserError) as caught:
        connect(url)

    assert "envs/site.yaml" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("port", ["54x2", "0", "65536"])
def test_a_port_that_is_none_is_the_users_mistake(port: str) -> None:
    with pytest.raises(UserError, match=r'" is no port; see envs/site\.yaml$') as caught:
        connect(f"postgresql://u:secret@h:{port}/x")
    assert "secret" not in str(caught.value)


def test_a_database_of_another_kind_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match=r"mysql://u:\*\*\*@h/x: neither sqlite"):
        connect("mysql://u:s3cret@h/x")


def test_an_up_to_date_ledger_is_read_without_sqlalchemy(tmp_path: Path) -> None:
    """It would be two thirds of the half second that ``status`` has (PERF-7)."""
    program = (
        "import sys; from runner.ledger.history import open_history as o;"
        " h = o(sys.argv[1], sys.argv[2], 0.0); h.read_last_runs(['x']);"
        " print([m for m in ('sqlalchemy', 'alembic', 'asyncio', 'yaml', 'psycopg2') if m in sys.modules])"
    )
    command = [sys.executable, "-c", program, f"sqlite:///{tmp_path}/runner.db", str(tmp_path / "state")]
    subprocess.run(command, check=True)

    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "[]\n"
