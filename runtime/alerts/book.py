"""The rules in force and the file they are kept in, for whoever changes them in a run."""

import threading
import time
from pathlib import Path

from stopline.runtime.alerts.checks import RulesError
from stopline.runtime.alerts.rules import Rules, check_rules, read_rules, write_rules
from stopline.runtime.alerts.watch import Watch
from stopline.runtime.cameras.camera import Clock
from stopline.runtime.events import Reloaded, utc_at


class RulesBook:
    """Used from several threads: the web page's, and the one that SIGHUP wakes."""

    def __init__(
        self,
        watch: Watch,
        names: tuple[str, ...] | None = None,
        path: Path | None = None,
        clock: Clock = time.monotonic_ns,
    ) -> None:
        """`names` are the detector's classes; without a `path` changes last as long as the run."""
        self.path = path
        self.names = names
        self._watch = watch
        self._clock = clock
        self._changing = threading.Lock()

    @property
    def rules(self) -> Rules:
        """What is in force."""
        return self._watch.rules

    def replace(self, rules: Rules) -> None:
        """Put others in force, and in the file; raises RulesError or OSError, and changes nothing.

        With no `path` nothing is written.
        """
        check_rules(rules, self.names)
        with self._changing:
            if self.path is not None:
                write_rules(self.path, rules)
            self._watch.rules = rules

    def reload(self) -> Reloaded:
        """Read the file again; if anything is wrong with it the rules before stay in force."""
        error: str | None = None
        with self._changing:
            try:
                if self.path is None:
                    raise RulesError("there is no rules file: start with --rules FILE")
                self._watch.rules = read_rules(self.path, self.names)
            except (OSError, RulesError) as refused:
                error = str(refused)
        now_ns = self._clock()
        shown = "" if self.path is None else str(self.path)
        return Reloaded(at_ns=now_ns, utc=utc_at(now_ns, now_ns), path=shown, error=error)
