"""Runs once, when the runtime is installed: what it leaves in memory is where every job begins.

A job's process calls `start` in a turn of its own, with the arguments and the environment of the job.
"""

import atexit
import builtins
import gc
import os
import sys
from _io import _IOBase, _TextIOBase
from _sitebuiltins import Quitter

import _reactor

# What most jobs import. `matplotlib.backends.backend_agg` is what draws where there is no screen.
import matplotlib
import matplotlib.backends.backend_agg
import matplotlib.pyplot
import numpy
import numpy.random
import pandas
import scipy
import scipy.optimize
import scipy.stats
import seaborn
import sklearn
import sklearn.ensemble
import sklearn.linear_model
import sklearn.metrics
import sklearn.model_selection
import sklearn.pipeline
import sklearn.preprocessing
import statsmodels.api
import statsmodels.formula.api

# Small parts of the standard library that such scripts use beside them.
import argparse
import csv
import datetime
import json
import pathlib
import random
import sqlite3
import tempfile
import uuid

PROGRAM = "/usr/local/bin/python.wasm"


def start(arguments, environment):
    """Runs a job: what comes first on its import path, its working directory, its command line."""
    folder, directory, *command = arguments
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    sys.path.insert(0, folder)
    sys.path.extend(filter(None, environment.get("PYTHONPATH", "").split(":")))
    sys.path.append(PACKAGES)
    # Seeds `random` and `numpy.random` from the system's randomness, too.
    code = _reactor.run([PROGRAM, "-u", *command], dict(os.environ))
    finish()
    sys.exit(code)


def finish():
    """Does what the interpreter does at its end, but for taking itself apart."""
    main = getattr(sys.modules.get("__main__"), "__dict__", {})
    try:
        atexit._run_exitfuncs()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    # What the job imported itself is at the end. To look at each of the others would copy the page that it is in.
    while LAST_BEFORE in sys.modules and next(reversed(sys.modules)) != LAST_BEFORE:
        sys.modules.popitem()
    main.clear()
    gc.collect()
    # Files that something still holds. The text of a file first, then its bytes. All files are of these classes, and
    # those of `io` would ask around first.
    left = [thing for thing in gc.get_objects() if isinstance(thing, _IOBase)]
    for file in sorted(left, key=lambda file: not isinstance(file, _TextIOBase)):
        try:
            file.flush()
        except Exception:
            pass


# Who starts a job is no interactive session, which is what the first turn sets up.
builtins.exit = Quitter("exit", "Ctrl-D (i.e. EOF)")
builtins.quit = Quitter("quit", "Ctrl-D (i.e. EOF)")
LAST_BEFORE = next(reversed(sys.modules))
gc.collect()
# Jobs never look through all of this for garbage.
gc.freeze()
