#!/usr/bin/env python
"""Furrow's command line: puts the source root on the path and hands over to Django."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "platform"))


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415  path set above

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
