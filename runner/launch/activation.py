"""How the environment of a profile comes about, as its plans say it: what the compiler has made of ``envs/*.yaml``."""

from __future__ import annotations

# What only a program can tell: its effect is captured, and kept as a snapshot.
CAPTURED = frozenset({"conda", "modules", "setup", "capo"})
# What lies in a tree of its own, which others may be able to change.
ACTIVATED = frozenset({"venv", "conda", "modules", "setup"})


class Change:
    """One change of the environment, applied in order (PROF-4).

    ``set unset prepend append`` change the variable ``name``; of ``unset`` the value is empty; ``paths`` sets it to a
    list of paths. ``venv`` activates the tree ``value`` by rule (PROF-20). The verbs of `CAPTURED` have neither: their
    particulars are the pairs of ``details``, whose keys may repeat.
    """

    __slots__ = ("details", "name", "value", "verb")

    def __init__(self, verb: str, name: str = "", value: str = "", details: Pairs | None = None) -> None:
        self.verb = verb
        self.name = name
        self.value = value
        self.details = details or []


class Activation:
    """The changes of a profile in order, and the conditions under which they count.

    Attributes
    ----------
    mode
        ``snapshot live inside`` (profiles.md).
    owner
        The account of the profile's site, which may own what is activated (PROF-14, SEC-1); empty for none.
    timeout_s, max_age_s
        Seconds: what an activation may take, and how old a snapshot may be.
    stderr, stderr_allow
        What lines on stderr mean (``fail warn ignore``), and the expressions of harmless ones.
    watch
        Further files or globs that the activation reads.
    requires
        What must hold afterwards, as (kind, text): ``command env file version`` (PROF-43).
    """

    __slots__ = ("changes", "max_age_s", "mode", "owner", "requires", "stderr", "stderr_allow", "timeout_s", "watch")

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.mode = "snapshot"
        self.owner = ""
        self.timeout_s = 10.0
        self.max_age_s = 86400.0
        self.stderr = "fail"
        self.stderr_allow: list[str] = []
        self.watch: list[str] = []
        self.requires: list[tuple[str, str]] = []

    @property
    def is_captured(self) -> bool:
        """Whether programs must run to tell the environment; else the wrapper makes it by rule."""
        if any(kind == "version" for kind, _ in self.requires):
            return True
        return not CAPTURED.isdisjoint({change.verb for change in self.changes})


_SCALARS = ("mode", "owner", "timeout_s", "max_age_s", "stderr")
KEYS = frozenset(
    {"change", "detail", "require", "watch", "activation_allow", *[f"activation_{key}" for key in _SCALARS]}
)


def encode_activation(activation: Activation) -> Pairs:
    """Return the pairs of an activation; only what differs from the defaults is written."""
    default = Activation()
    pairs = []
    for change in activation.changes:
        pairs.append(("change", f"{change.verb} {change.name} {change.value}"))
        pairs += [("detail", f"{key} {text}") for key, text in change.details]
    pairs += [("require", f"{kind} {text}") for kind, text in activation.requires]
    for key in _SCALARS:
        if (value := getattr(activation, key)) != getattr(default, key):
            pairs.append((f"activation_{key}", value if isinstance(value, str) else repr(value).removesuffix(".0")))
    pairs += [("activation_allow", expression) for expression in activation.stderr_allow]
    pairs += [("watch", path) for path in activation.watch]
    return pairs


def decode_pair(activation: Activation, key: str, value: str) -> None:
    """Enter one pair of `KEYS` into an activation."""
    first, _, rest = value.partition(" ")
    if key == "change":
        name, _, text = rest.partition(" ")
        activation.changes.append(Change(first, name, text))
    elif key == "detail":
        activation.changes[-1].details.append((first, rest))
    elif key == "require":
        activation.requires.append((first, rest))
    elif key == "activation_allow":
        activation.stderr_allow.append(value)
    elif key == "watch":
        activation.watch.append(value)
    else:
        key = key.removeprefix("activation_")
        setattr(activation, key, float(value) if key.endswith("_s") else value)


TYPE_CHECKING = False
if TYPE_CHECKING:
    Pairs = list[tuple[str, str]]
