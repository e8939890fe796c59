"""Waiting for a fabric to converge: what to tell meanwhile, and when it is of no use."""

from __future__ import annotations

from labctl.model.intent import Intent
from labctl.ops.events import Converging
from labctl.verify.lasting import lasts
from labctl.verify.model import CauseKind, Status, VerifyReport

LASTING_SECONDS = 10.0
"""How long a cause that lasts must have been there: a node that has just become ready may still be
taking its configuration in."""
_TELL_SECONDS = 20.0


class Patience:
    """What the reports so far say about the next one. Times in seconds since the first."""

    def __init__(self, intent: Intent) -> None:
        self._intent = intent
        self._since: dict[tuple[CauseKind, tuple[str, ...]], float] = {}
        self._told: Converging | None = None

    def is_over(self, report: VerifyReport, seconds: float) -> bool:
        """Whether all causes are such as last, and have been there for LASTING_SECONDS."""
        lasting = [cause for cause in report.causes if lasts(cause, report, self._intent)]
        keys = [(cause.kind, cause.nodes) for cause in lasting]
        self._since = {key: self._since.get(key, seconds) for key in keys}
        old = all(seconds - since >= LASTING_SECONDS for since in self._since.values())
        return old and 0 < len(lasting) == len(report.causes)

    def news(self, report: VerifyReport, seconds: float) -> Converging | None:
        """Something to tell: the number of failed checks has changed, or it was long ago."""
        now = Converging(report.count(Status.FAIL), seconds)
        told = self._told
        if told and told.failed == now.failed and seconds - told.seconds < _TELL_SECONDS:
            return None
        self._told = now
        return now
