"""What NX-OS does about a configuration: startup, day-0 medium, or POAP and the setup dialogue."""

from __future__ import annotations

from standin.player import passwords
from standin.player.config import Editor
from standin.player.switch import Switch
from standin.player.terminal import Interrupted

_QUESTION = (
    "Abort Power On Auto Provisioning [yes - continue with normal setup, skip - bypass password "
    "and basic configuration, no - continue with Power On Auto Provisioning] (yes/skip/no)[no]: "
)
_READY = "%ASCII-CFG-2-CONF_CONTROL: System ready"
_POAP_PATIENCE = 5.0  # seconds until POAP says again that it got no answer, and asks again


def configure(switch: Switch) -> None:
    """Leave the switch with a configuration and an administrator, ready for a login prompt."""
    startup, day0 = switch.store.startup(), switch.machine.day0()
    configuration = day0 if startup is None else startup
    wanted = configuration is None and switch.store.poap
    if wanted or switch.faults & {"poap", "poap-loop"}:
        switch.terminal.line("Waiting for system online status before starting POAP ...")
        switch.terminal.pause(2)
        if poap(switch) == "yes":
            set_up(switch)
    if configuration is not None:
        switch.terminal.pause(1)
        switch.load(configuration)
    switch.terminal.line(switch.syslog(_READY))
    if switch.user_password("admin") is None:
        if configuration is not None:
            switch.terminal.line("There is no admin password in the bootstrap file")
            set_up(switch)
        else:
            Editor(switch.root).apply("username admin role network-admin")  # no password: `skip`
    if "weak-password" in switch.faults:
        set_up(switch)


def poap(switch: Switch) -> str:
    """Ask until somebody answers `yes` or `skip`."""
    terminal = switch.terminal
    terminal.line(switch.syslog("%POAP-2-POAP_INITED: POAP process initialized\n"))
    while True:
        terminal.write(_QUESTION)
        if not terminal.typed_within(_POAP_PATIENCE):
            failed = "%POAP-2-POAP_FAILURE: POAP DHCP discover phase failed"
            terminal.line(f"\n{switch.syslog(failed)}")
            continue
        answer = _answer(switch).strip().lower()
        if answer in ("", "n", "no"):
            terminal.line("Continuing with Power On Auto Provisioning")
        elif "poap-loop" in switch.faults:
            terminal.line(switch.syslog("%POAP-2-POAP_INFO: USB disk not detected"))
        elif answer in ("y", "yes", "skip"):
            _abort(switch, answer)
            return "skip" if answer == "skip" else "yes"


def _abort(switch: Switch, answer: str) -> None:
    if answer == "skip":
        switch.terminal.line(
            "\n!!! NOTE: You have selected skip option. POAP will be aborted and password "
            "configuration will be skipped !!!"
        )
    switch.terminal.line("Disabling POAP.......Disabling POAP")
    switch.terminal.line(
        switch.syslog("poap: Rolling back, please wait... (This may take 5-15 minutes)")
    )
    switch.terminal.pause(3)


def set_up(switch: Switch) -> None:
    """The account dialogue, then the offer of the basic one."""
    terminal = switch.terminal
    terminal.line("\n\n         ---- System Admin Account Setup ----\n\n")
    question = "Do you want to enforce secure password standard (yes/no) [y]: "
    secure = not yes_or_no(switch, question, default="y").startswith("n")
    while True:
        password = _password(switch, secure)
        if password is not None:
            break
    Editor(switch.root).apply(
        f"username admin password 5 {passwords.hidden(password)}  role network-admin"
    )
    terminal.line("\n         ---- Basic System Configuration Dialog VDC: 1 ----\n")
    terminal.line(
        "Press Enter at anytime to skip a dialog. Use ctrl-c at anytime\n"
        "to skip the remaining dialogs.\n"
    )
    if (
        yes_or_no(switch, "Would you like to enter the basic configuration dialog (yes/no): ")
        == "yes"
    ):
        terminal.line("The stand-in has no such dialog; skipped.")


def _password(switch: Switch, secure: bool) -> str | None:
    """A password given twice and found good; None to ask again."""
    password = _answer(switch, '\n  Enter the password for "admin": ', echo=False)
    reason = passwords.weakness(password) if secure else None
    if "weak-password" in switch.faults:
        reason = "Password is weak"
    if reason:
        switch.terminal.line(f"Wrong Password, Reason:\n[{reason}]")
        return None
    if _answer(switch, '  Confirm the password for "admin": ', echo=False) != password:
        switch.terminal.line("Passwords don't match, try again")
        return None
    return password


def yes_or_no(switch: Switch, question: str, default: str = "") -> str:
    """Ask until the answer is one; an empty one is the default."""
    while True:
        answer = _answer(switch, question).strip().lower() or default
        if answer in ("y", "yes", "n", "no"):
            return answer


def _answer(switch: Switch, prompt: str = "", *, echo: bool = True) -> str:
    """A line in reply to a prompt; Control-C counts as an empty one."""
    switch.terminal.write(prompt)
    if prompt and "glued-syslog" in switch.faults:
        switch.terminal.line(switch.syslog("%PLATFORM-2-MOD_DETECT: Module 27 detected"))
    try:
        return switch.terminal.read_line(echo=echo)
    except Interrupted:
        return ""


def log_in(switch: Switch) -> str:
    """The login prompt, until somebody is let in; his name."""
    terminal = switch.terminal
    while True:
        user = _answer(switch, f"{switch.hostname} login: ").strip()
        if not user:
            continue
        typed = _answer(switch, "Password: ", echo=False)
        terminal.line()
        stored = switch.user_password(user)
        known = stored is not None and (not stored or passwords.matches(stored, typed))
        if known and "login-refused" not in switch.faults:
            return user
        terminal.pause(1)
        terminal.line("\nLogin incorrect\n")
