"""An environment of each kind that a profile can activate, made for real, and the words that shells get wrong."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

from condas import make_prefix
from lab import need_program

from runner.launch.activation import Change

MODULES = "/usr/lib/x86_64-linux-gnu/modulecmd.tcl"
Make = Callable[[Path], Change]


def make_setup(shell: str, text: str) -> Make:
    """Return what writes a setup script of that text and returns the change that sources it."""

    def make(directory: Path) -> Change:
        script = directory / f"setup.{shell}"
        script.write_text(text)
        return Change("setup", details=[("shell", shell), ("source", str(script))])

    return make


def make_conda(directory: Path) -> Change:
    """Install a real environment, with scripts and variables."""
    make_prefix(directory / "conda/envs/wfc3", variables={"OF_STATE": "it's", "BOTH": "state"})
    return Change("conda", details=[("root", str(directory / "conda")), ("name", "wfc3")])


def make_modules(directory: Path) -> Change:
    if not Path(MODULES).exists():
        need_program(MODULES)
    (directory / "modulefiles/casa").mkdir(parents=True)
    (directory / "modulefiles/casa/6.5").write_text(
        f'#%Module1.0\nprepend-path PATH {directory}/casa/bin\nsetenv CASA_HOME "it\'s"\nappend-path CASA_PATH /x\n'
    )
    details = [("command", MODULES), ("path", f"{directory}/modulefiles"), ("load", "casa/6.5")]
    return Change("modules", details=details)


def make_venv(directory: Path) -> Change:
    tree = directory / "venv"
    (tree / "bin").mkdir(parents=True)
    (tree / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (tree / "bin/python").symlink_to(sys.executable)
    return Change("venv", "", str(tree))


KINDS: dict[str, Make] = {
    "bash": make_setup("bash", 'export OF_BASH="a\'b" PATH=/opt/bash/bin:$PATH\nexport MANPATH=/bash/man:$MANPATH\n'),
    "sh": make_setup("sh", "OF_SH='two\nlines'; export OF_SH\nPATH=$PATH:/opt/sh/bin\nunset GIT_TERMINAL_PROMPT\n"),
    "tcsh": make_setup("tcsh", 'setenv OF_TCSH "a b;c"\nsetenv PATH /opt/tcsh/bin:${PATH}\nunsetenv LANG\n'),
    "csh": make_setup("csh", "setenv OF_CSH `echo x`\nset path = ($path /opt/csh/bin)\n"),
    "conda": make_conda,
    "modules": make_modules,
    "venv": make_venv,
}


def write_item(change: Change) -> str:
    """Return the item of ``activate`` that means a change of `KINDS`; JSON is YAML."""
    if change.verb == "venv":
        return json.dumps({"venv": change.value})
    item: dict[str, str | list[str]] = {key: text for key, text in change.details if key not in ("path", "load")}
    for key in ("path", "load"):
        item |= {key: found} if (found := [text for name, text in change.details if name == key]) else {}
    return json.dumps({change.verb: item})


def list_odd_words(count: int) -> list[str]:
    """Return the words that PROF-54 names, and `count` random ones; bytes that are no UTF-8 are surrogates."""
    some = random.Random(54)
    letters = [chr(number) for number in range(1, 127)] + [chr(0xDC00 + number) for number in range(0x80, 0x100)]
    random_words = ["".join(some.choices(letters, k=some.randrange(12))) for _ in range(count)]
    odd = ["", "a b", "two\nlines", "! * ? $HOME # ~ % ' \" \\ `id`", "\udce9t\udce9", "--", "-n", ""]
    return odd + random_words
