"""What to type at `loader >`, where a Nexus stops that has no boot variable or could not boot."""

from __future__ import annotations

from labctl.devices.nxos.lines import images


class Loader:
    """Boots the image that is known, after that what `dir bootflash:` lists.

    The syntax is `boot bootflash:IMAGE`; `boot nxos ...` is the running system's and ends in
    "Error 9: Unknown boot failure" here (field log of a 9300v 10.5(3)).
    """

    def __init__(self, image: str) -> None:
        self._image = image
        self._boots = 0
        self._listing: list[str] | None = None

    @property
    def waits(self) -> bool:
        """Whether a boot was tried and has come back, so that the next had better wait.

        Early boots can crash and succeed half a minute later (archetype: 5 tries, 30 s apart).
        """
        return self._boots > 0 and self._listing is None

    def line(self, text: str) -> None:
        """A line has come to its end."""
        if self._listing is not None:
            self._listing.append(text)

    def answer(self) -> str:
        """What to type at a prompt."""
        if self._listing is None and (self._boots or not self._image):
            self._listing = []
            return "dir bootflash:"
        image = self._choice()
        self._listing = None
        if not image:
            return "dir bootflash:"
        self._boots += 1
        return f"boot bootflash:{image}"

    def _choice(self) -> str:
        listed = images("\n".join(self._listing or ()))
        return self._image if self._image in listed or not listed else listed[-1]
