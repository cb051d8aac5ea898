"""What is installed is what was tested: the wheel, away from the checkout, with versions resolved afresh."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", out, ROOT],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "gemini_server",
        "gemini_emulator",
        "gemini_tools",
    }
    assert "gemini_server/surface.json" in names
    assert "gemini_server/api/catalogue.json" in names
    assert {"gemini_server/py.typed", "gemini_emulator/py.typed", "gemini_tools/py.typed"} <= set(names)


def test_a_fresh_install_answers_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    # No lock here: the newest versions that pyproject.toml allows must work too.
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True, capture_output=True)
    command = home / "bin" / "gemini-toolserver"
    arguments = ["call", "generate_text", "prompt=Say hello", "--emulate", "--state-dir", str(tmp_path / "state")]
    ran = subprocess.run([command, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "hello" in ran.stdout.lower()


def test_mcp_json_names_the_installed_command() -> None:
    configured = json.loads((ROOT / "mcp.json").read_text(encoding="utf-8"))
    (server,) = configured["mcpServers"].values()
    assert server["command"] == "gemini-toolserver"
    assert server["args"] == ["serve"]
    assert "env" not in server, "the key comes from the environment or the key file"
