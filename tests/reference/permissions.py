"""Answers of the Python peers' permission packages.

Reads cases from stdin, one JSON document a line: {"files": {folder: YAML}, "asked": [[path, user, level]]}. Prints the
answers of each, as a list of booleans a line. The first argument names the package that answers.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import yaml

OWNER = "do@z.org"
NAME = "syft.pub.yaml"


def written(datasite, files):
    shutil.rmtree(datasite, ignore_errors=True)
    for folder, yaml in files.items():
        (datasite / folder).mkdir(parents=True, exist_ok=True)
        (datasite / folder / NAME).write_text(yaml)


def syft_permissions(datasite, case):
    from syft_permissions import AccessLevel, ACLRequest, ACLService, User

    levels = {"read": AccessLevel.READ, "write": AccessLevel.WRITE, "admin": AccessLevel.ADMIN}
    service = ACLService(owner=OWNER)
    service.load_permissions_from_filesystem(datasite)
    return [
        service.can_access(ACLRequest(path=path, level=levels[level], user=User(id=user)))
        for path, user, level in case["asked"]
    ]


def syft_perms(datasite, case):
    from syft_perms import SyftFile, SyftPermContext

    context = SyftPermContext(datasite)
    return [
        getattr(SyftFile(datasite / path, context), f"has_{level}_access")(user) for path, user, level in case["asked"]
    ]


# The same parser in C: most of the time goes into reading YAML.
yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

with tempfile.TemporaryDirectory() as folder:
    datasite = Path(folder) / OWNER
    answers = {"syft-permissions": syft_permissions, "syft-perms": syft_perms}[sys.argv[1]]
    for line in sys.stdin:
        case = json.loads(line)
        written(datasite, case["files"])
        print(json.dumps(answers(datasite, case)))
