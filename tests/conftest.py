import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from capo import Place, make_place
from clock import Clock, make_clock
from homes import Home, make_home
from hypothesis import settings
from lab import Lab, make_machine_files
from postgres import Postgres
from watch import Watch

# The same examples on every machine and day, however slow it is; a new seed is for whoever looks for new faults.
settings.register_profile("runner", derandomize=True, database=None, deadline=None)
settings.load_profile("runner")
# A shell that starts the tests in the background lets them ignore Ctrl-C, and so would what they start on a terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def machine_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose ``.runner`` is copied into every lab: to compile it anew for each test would take a second."""
    return make_machine_files(tmp_path_factory.mktemp("machine"))


@pytest.fixture
def lab(tmp_path: Path, machine_files: Path) -> Iterator[Lab]:
    """A home with the real wrapper, real plans and a real state directory; whatever its jobs leave is killed."""
    lab = Lab(tmp_path / "home", machine_files)
    yield lab
    lab.tear_down()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """A server that takes pings."""
    watch = Watch()
    yield watch
    watch.stop()


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """A wall clock to be set."""
    return make_clock(tmp_path / "clock")


@pytest.fixture
def home(
    tmp_path: Path, machine_files: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Home:
    """A home to call ``runner`` on."""
    return make_home(tmp_path / "home", machine_files, capfd, monkeypatch)


@pytest.fixture
def place(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty directory to look for properties in."""
    return make_place(tmp_path / "place", capfd, monkeypatch)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of our own for the whole session."""
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    """The URL of the server's first database; a test that writes takes `database_url`."""
    return postgres.url()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/runner.db"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)
