"""What the scripts of applications share.

    python3 SCRIPT PORT

A script ends with status 0 when everything holds, 77 when its packages are not installed.
"""

import sys

NOT_INSTALLED = 77


def leave_out(error):
    print(f"left out: {error}")
    sys.exit(NOT_INSTALLED)


def port():
    return int(sys.argv[1])


def run(checks):
    for check in checks:
        check()
        print(f"{check.__name__}: ok")
