"""Measure the server of this checkout against bare `mcp` and raw httpx2, both sides in one run, and print the ratios.

Ratios hold on any machine; the absolute figures are this one's. It informs, and ends with 0 unless something crashes.
"""

from __future__ import annotations

import argparse
import sys
import time

import calls
import download
import embed
import inline
import ledger
import parallel
import soak
import startup
import surface
import upload
from report import Row, table
from servers import Endpoint

BENCHMARKS = {
    "startup": startup.measure,
    "calls": calls.measure,
    "inline": inline.measure,
    "parallel": parallel.measure,
    "ledger": ledger.measure,
    "download": download.measure,
    "embed": embed.measure,
    "upload": upload.measure,
    "soak": soak.measure,
    "surface": surface.measure,
}


def main() -> int:
    """Run what was asked for; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, under a minute")
    parser.add_argument("--only", action="append", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    chosen = parser.parse_args()
    rows: list[Row] = []
    began = time.monotonic()
    with Endpoint() as endpoint:
        for name in chosen.only or BENCHMARKS:
            print(f"{name} …", file=sys.stderr)
            rows += BENCHMARKS[name](endpoint, quick=chosen.quick)
    print(table(rows))
    over = [row.what for row in rows if row.met is False]
    print(f"\n{len(over)} over target; {time.monotonic() - began:.0f} s")
    return 1 if chosen.strict and over else 0


if __name__ == "__main__":
    sys.exit(main())
