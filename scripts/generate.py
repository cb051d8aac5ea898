"""Write what is generated: the packaged surface, and the generated parts of the documents.

python scripts/generate.py            write
python scripts/generate.py --check    exit 1 when something is stale
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "server"), str(ROOT / "tools"), str(ROOT / "scripts")]


def main() -> int:
    """Write or check."""
    import documents

    from gemini_server import surface

    wanted = {surface.FILE: surface.dumps(surface.build())}
    if "--check" not in sys.argv:
        surface.FILE.write_text(wanted[surface.FILE], encoding="utf-8")
        surface.load.cache_clear()
    wanted |= documents.generated(ROOT)
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"stale: {path.relative_to(ROOT)} (run `make docs`)")
        return bool(stale)
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
