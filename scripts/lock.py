"""Resolve the newest allowed versions of everything and write them to requirements.lock.

A fresh environment is resolved from pyproject.toml alone; what it holds then is the lock. Versions only: which index
serves them is the business of whoever installs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Made by `make lock`: constraints for `make install`, the newest versions that pyproject.toml allowed.\n"


def main() -> None:
    """Write the lock."""
    with tempfile.TemporaryDirectory() as directory:
        venv.create(directory, with_pip=True)
        python = str(Path(directory, "bin", "python"))
        install = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, "pip>=25.1"], check=True)
        subprocess.run([*install, "-e", ".", "--group", "dev"], check=True, cwd=ROOT)
        listed = subprocess.run(
            [python, "-m", "pip", "freeze", "--exclude-editable"], check=True, capture_output=True, text=True
        ).stdout
    pinned = sorted(line for line in listed.splitlines() if "==" in line)
    (ROOT / "requirements.lock").write_text(HEADER + "\n".join(pinned) + "\n", encoding="utf-8")
    print(f"locked {len(pinned)} packages")


if __name__ == "__main__":
    sys.exit(main())
