"""A hand-written crontab line to the keys of an entry; what no entry can say is refused by name (CRON-70, CRON-71).

How a cron reads the line, and which assignments hold there, is what ``crontab explain`` knows; what the shell would
make of the command is looked at only as far as is needed to see that no shell is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from runner.crontab.dialects import Dialect
from runner.crontab.explain.describe import explain_table, get_executed
from runner.crontab.explain.values import Entry, Table, has_account
from runner.document.faults import Wrong
from runner.errors import UserError
from runner.launch.scrub import is_secret
from runner.registry.add import Value
from runner.registry.schedule import parse_when

_SCRIPT = "put the command into a script of its own, and that into run"
_PIECES = re.compile(
    r"""(?P<quoted>'[^']*'|"(?:[^"\\`$]|\\.)*"|\\.)"""
    r"""|(?P<expansion>\$|`|"(?:[^"\\]|\\.)*")"""
    r"""|(?P<redirection>[0-9]*(?:&>>?|<<<|<<-?|<>|>>|>\||[<>]&?))"""
    r"""|(?P<operator>&&|\|\||\|&|;;|[|&;()])"""
    r"""|(?P<blank>[ \t]+)"""
    r"""|(?P<comment>(?<![^ \t;&])\#.*)"""
    r"""|(?P<plain>[^'"\\`$<>|&;() \t0-9]+|[0-9]+)"""
    r"""|(?P<unbalanced>.)""",
    re.DOTALL,
)
_DISCARDED = re.compile(r"[ \t]*(?<![0-9])1?>[ \t]*/dev/null[ \t]*$")
_ONE_FOR_ALL = "a profile is of the whole job: give steps of other profiles jobs of their own"
_OPERATORS = {
    "|": "a pipe (|)",
    "|&": "a pipe (|&)",
    "||": "||",
    "&": "& (a command in the background)",
    "(": "a subshell",
    ")": "a subshell",
    ";;": ";;",
}
# Words that only a shell knows: no file of that name could do the same for the steps after it.
_OF_THE_SHELL = re.compile(
    r"[.!{]|\[\[|alias|bg|break|builtin|case|cd|continue|declare|eval|exec|exit|export|fg|for|function|if|let|local|popd"
    r"|pushd|read|readonly|return|select|set|setenv|shift|shopt|source|trap|type|typeset|ulimit|umask|unset|until|wait"
    r"|while"
)
# What cron itself goes by; the profile and mailto say it for a job.
_OF_CRON = frozenset(("MAILTO", "SHELL", "PATH", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING"))
_ZONES = ("CRON_TZ", "TZ", "RANDOM_DELAY")


@dataclass(frozen=True, slots=True)
class Adopted:
    """An entry to be, as a line of a crontab asks for it.

    Attributes
    ----------
    when, run
        The keys of that name; `run` is one command line, or a list of steps.
    profile
        What the line's env-wrapper stands for; empty if it has none.
    more
        ``mailto`` and ``env``, where assignments in force say so.
    notes
        What was left out, a line each.
    """

    when: str
    run: Value
    profile: str
    more: Mapping[str, Value]
    notes: tuple[str, ...]


def adopt_line(
    line: str,
    above: bytes,
    dialect: Dialect,
    wrappers: Mapping[str, str],
    is_user: Callable[[str], bool] = has_account,
) -> Adopted:
    """Return the entry of a crontab line.

    Parameters
    ----------
    above
        The crontab as far as it stands above the line.
    wrappers
        Env-wrappers by name or path, and the profiles that they stand for.
    is_user
        Whether there is an account of a name, as in `Table`.

    Raises
    ------
    UserError
        Names the construct that no entry can say.
    """
    line = line.strip()
    if len(line.splitlines()) > 1:
        raise UserError("--line takes one line; call it once for each")
    if not line.isprintable() and (odd := [c for c in line if not c.isprintable() and c != "\t"]):
        raise UserError(f"the line has {odd[0]!a} in it, which YAML cannot hold as text; write a script")
    when, written = _split_line(line)
    if "%" in re.sub(r"\\.", "", written):
        raise _refuse("data after %")
    entry = _read_entry(line, above, dialect)
    command = get_executed(entry, dialect).shell.decode("utf-8", "surrogateescape")
    first, _, rest = command.partition(" ")
    if is_user(first) and rest.strip() and not rest.lstrip().startswith("-"):
        raise _refuse(f'a user column ("{first}")')
    command, notes = _strip(command)
    steps = list(_split_steps(command))
    profile, commands = _take_wrappers([text for _, text in steps], wrappers)
    more, left_out = _take_settings(entry)
    run = _write_run([condition for condition, _ in steps], commands)
    return Adopted(when, run, profile, more, (*notes, *left_out))


def find_above(text: bytes, line: str) -> bytes:
    """Return what stands above a line in a crontab; UserError if the line is not in it."""
    lines = text.split(b"\n")
    wanted = line.strip().encode("utf-8", "surrogateescape")
    for number, other in enumerate(lines):
        if other.strip() == wanted:
            return b"".join([above + b"\n" for above in lines[:number]])
    raise UserError("the file of --from does not have this line")


def _split_line(line: str) -> tuple[str, str]:
    """Return schedule and command as they are written; UserError for what no entry can say."""
    if line.startswith("-"):
        raise _refuse('a leading "-" (cronie: do not log)')
    count = 1 if line.startswith("@") else 5
    parts = line.split(None, count)
    if len(parts) <= count:
        raise UserError("this is no line of a crontab: a schedule and a command are needed")
    when, command = " ".join(parts[:count]), parts[count]
    if when.lower() == "@reboot":
        raise _refuse("@reboot")
    try:
        parse_when(when)
    except Wrong as wrong:
        raise UserError(f"when: {wrong.message}" + (f"; {wrong.hint}" if wrong.hint else "")) from None
    if command.startswith("-"):
        raise _refuse(f'the option "{command.split()[0]}" before the command (cronie: -n mails on failure only)')
    return when, command


def _read_entry(line: str, above: bytes, dialect: Dialect) -> Entry:
    """Return what the cron makes of the line, below what stands above it."""
    text = above + line.encode("utf-8", "surrogateescape") + b"\n"
    explanation = explain_table(dialect, Table(text))
    number = above.count(b"\n") + 1
    found = next((entry for entry in explanation.entries if entry.line == number), None)
    if found is None:
        why = "; ".join(f"line {one.line}: {one.words}" for one in explanation.refusals) or "it reads no entry there"
        raise UserError(f"{dialect.name}'s cron would not run this line: {why}")
    return found


def _strip(command: str) -> tuple[str, list[str]]:
    """Return the command without comment and without what throws stdout away, and what was left out."""
    notes = []
    for piece in _PIECES.finditer(command):
        if piece["comment"]:
            notes.append(f"left out: the comment {piece['comment']}")
            command = command[: piece.start()].rstrip()
            break
    if discarded := _DISCARDED.search(command):
        notes.append("left out: > /dev/null, stdout is kept in the log and never mailed")
        command = command[: discarded.start()]
    return command, notes


def _split_steps(command: str) -> Iterator[tuple[str, str]]:
    """Yield condition and text of each step: ``&&`` is success, ``;`` always."""
    condition, text = "success", ""
    for piece in _PIECES.finditer(command):
        operator = piece["operator"]
        if operator in ("&&", ";"):
            yield condition, _check_step(text, operator)
            if operator == "&&" and condition == "always":
                # Here it means: if that one step succeeded; in an entry: if none before it failed.
                raise _refuse("&& behind a ;")
            condition, text = ("success" if operator == "&&" else "always"), ""
        else:
            text += " " if piece["blank"] else _check_piece(piece)
    if text.strip() or condition == "success":
        yield condition, _check_step(text, "")


def _check_piece(piece: re.Match[str]) -> str:
    """Return a piece as it is; UserError if a shell would do something with it."""
    if piece["expansion"]:
        raise _refuse(f"a substitution ({_show_expansion(piece.string[piece.start() :])})")
    if piece["redirection"]:
        raise _refuse(f"the redirection {piece['redirection']}")
    if piece["operator"]:
        raise _refuse(_OPERATORS[piece["operator"]])
    if piece["unbalanced"]:
        raise UserError(f"a {piece['unbalanced']} without its end")
    return piece[0]


def _show_expansion(text: str) -> str:
    found = re.search(r"\$\([^)]*\)?|\$\{[^}]*\}?|\$\w+|\$|`[^`]*`?", text)
    return found[0] if found else text


def _check_step(text: str, operator: str) -> str:
    text = text.strip()
    if not text:
        raise UserError(f"there is no command before {operator}" if operator else "there is no command")
    first = text.partition(" ")[0]
    if _OF_THE_SHELL.fullmatch(first):
        hint = "; or write cwd: DIRECTORY into the entry" if first == "cd" else ""
        raise UserError(f"{_describe(f'{first}, which only a shell knows,')}{hint}")
    if name := re.match(r"[A-Za-z_]\w*=", first):
        raise UserError(f"{_describe(f'the assignment {name[0]}')}; or write it into env of the entry")
    if pattern := _find_pattern(text):
        raise _refuse(f"the pattern {pattern}, which a shell expands,")
    if replaced := re.search(r"\{(?:slot|date|work)\}", text):
        raise _refuse(f"{replaced[0]}, which an entry replaces,")
    return text


def _find_pattern(text: str) -> str:
    """Return the first word with a ``*``, ``?``, ``[`` or leading ``~`` outside quotes, empty if there is none."""
    bare = re.sub(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.""", "x", text)
    return next((word for word in bare.split(" ") if re.search(r"^~|[*?[]", word)), "")


def _take_wrappers(commands: list[str], wrappers: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the profile that the env-wrappers of the steps stand for, and the steps without them."""
    found = [_take_wrapper(command, wrappers) for command in commands]
    profiles = {profile for profile, _ in found}
    if len(profiles) > 1:
        named = ", ".join(sorted(profile or "none" for profile in profiles))
        raise UserError(f"the steps need several profiles ({named}); {_ONE_FOR_ALL}")
    return profiles.pop(), [command for _, command in found]


def _take_wrapper(command: str, wrappers: Mapping[str, str]) -> tuple[str, str]:
    word, _, rest = command.partition(" ")
    profile = wrappers.get(word) or wrappers.get(word.rpartition("/")[2]) or ""
    if profile and not rest.strip():
        raise UserError(f"{word} stands for the profile {profile}, but there is no command behind it")
    return (profile, rest.strip()) if profile else ("", command)


def _take_settings(entry: Entry) -> tuple[dict[str, Value], list[str]]:
    """Return the keys that the assignments in force become, and what was left out."""
    env: dict[str, Value] = {}
    more: dict[str, Value] = {}
    notes = []
    for setting in entry.settings:
        name, value = (part.decode("utf-8", "surrogateescape") for part in (setting.name, setting.value))
        if name in _ZONES:
            raise UserError(f"{name} is in force there (line {setting.line}); {_ZONE_HINTS[name]}")
        if name == "MAILTO":
            recipients: list[Value] = [word for word in re.split(r"[, ]+", value) if word]
            more |= {"mailto": recipients[0] if len(recipients) == 1 else recipients} if recipients else {}
            notes += [] if recipients else ["left out: the empty MAILTO; what goes wrong is mailed to mail.ops"]
        elif name in _OF_CRON:
            notes.append(f"left out: {name}={value}, which the profile or the wrapper decides")
        elif is_secret(name):
            raise UserError(f"{name} looks like a secret; put it into a file of its own and write secrets: by hand")
        else:
            env[name] = value
    return (more | {"env": env} if env else more), notes


_ZONE_HINTS = {
    "CRON_TZ": "write the entry by hand, with timezone:",
    "TZ": "write the entry by hand; timezone: moves its schedule, env: {TZ: ...} the clock of the job",
    "RANDOM_DELAY": "write the entry by hand; spread: chooses a minute for good",
}


def _write_run(conditions: list[str], commands: list[str]) -> Value:
    if len(commands) == 1:
        return commands[0]
    return [
        command if condition == "success" else {"run": command, "if": condition}
        for condition, command in zip(conditions, commands, strict=True)
    ]


def _describe(construct: str) -> str:
    return f"{construct} cannot be said in an entry: {_SCRIPT}"


def _refuse(construct: str) -> UserError:
    return UserError(_describe(construct))
