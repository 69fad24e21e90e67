"""The code blocks of docs/clients.md."""

import re

from tools import ROOT


def block(info):
    """The block that begins with ``` and this."""
    text = (ROOT / "docs/clients.md").read_text(encoding="utf-8")
    found = re.findall(rf"^```{re.escape(info)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    if len(found) != 1:
        raise ValueError(f"docs/clients.md has {len(found)} blocks ```{info}, not one")
    return found[0]
