"""Secrets as the pure core sees them: words that stand for them.

Renderings, digests and logs hold the word; the secret itself takes its place where a day-0 medium
is written (labctl.ops.secrets), and nowhere else.
"""

from __future__ import annotations

ADMIN_PASSWORD = "@labctl-secret:nxos-admin@"
"""Stands for the password of user `admin` on every Nexus."""
