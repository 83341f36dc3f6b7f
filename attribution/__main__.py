"""``python -m attribution`` is the command line."""

from __future__ import annotations

from attribution.cli import main

if __name__ == "__main__":
    main()
