"""The command line without a process of its own: what it prints and how it ends, in a tenth of
the time.  A test of each kind of end still starts a process."""

import io
import subprocess
import sys
from contextlib import chdir, nullcontext, redirect_stderr, redirect_stdout
from unittest import mock

import undertow


def run(*args, lake=None, cwd=None):
    """Run ``undertow`` with arguments as its front door does."""
    argv = ["undertow", *map(str, args)]
    if lake is not None:
        argv += ["--lake", str(lake)]
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", argv),
        chdir(cwd) if cwd else nullcontext(),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        status = undertow._run()
    return subprocess.CompletedProcess(argv, status, out.getvalue(), err.getvalue())


def refused(done):
    """Return the one line of a refusal."""
    assert done.returncode == 2, done
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("undertow: ")
    return line.removeprefix("undertow: ")
