import fcntl
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import settings

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
# Its own 20 seconds are too few on a machine whose cores are all busy.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")

# A first call compiles its kernel, which no deadline survives.  CI repeats the same examples.
settings.register_profile("fast", deadline=None, max_examples=20)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=500)
settings.load_profile(os.environ.get("EXAMPLES", "ci" if os.environ.get("CI") else "fast"))


def pytest_configure(config):
    """Count what tests and their processes ask apart from what the user asks."""
    asked = TemporaryDirectory(prefix="undertow-asked-")
    os.environ["UNDERTOW_ASKED"] = asked.name
    config.add_cleanup(asked.cleanup)


REAL = Path(__file__).parents[2] / "shared" / "real"


@pytest.fixture(scope="session")
def real():
    """Folder of real rows; they carry no licence and are not part of the repository."""
    if not REAL.is_dir():
        pytest.skip(f"no real rows at {REAL}")
    return REAL


class Demo(NamedTuple):
    """What `undertow demo` left behind."""

    folder: Path
    lake: Path
    report: Path
    said: str


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """Run `undertow demo`, as a user does, in a folder of its own."""
    return run_demo(tmp_path_factory, "embedded")


@pytest.fixture(scope="session")
def real_demo(real, tmp_path_factory):
    """Run `undertow demo --real`."""
    return run_demo(tmp_path_factory, "real", "--real", str(real))


def run_demo(tmp_path_factory, name, *args):
    """Run the demo once for all workers of a test run: the first one does, the others wait.

    ``MADE_ONCE`` names a folder for several runs of the same code, as in CI.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    shared = Path(os.environ.get("MADE_ONCE", shared))
    folder, said = shared / name, shared / name / "said.txt"
    folder.mkdir(exist_ok=True)
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            command = [sys.executable, "-m", "undertow", "demo", *args]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            said.write_text(done.stdout + done.stderr)
    demo = folder / ("data/demo/real" if args else "data/demo")
    return Demo(folder, demo / "lake", demo / "report.html", said.read_text())


BUCKET = "hl-mainnet-node-data"


@pytest.fixture(scope="session")
def s3_server():
    """An S3 server on loopback, for the whole run."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server, monkeypatch, tmp_path):
    """An empty bucket behind the usual variables, and nothing of the user's own settings."""
    import boto3
    import s3fs

    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client
    for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    client.delete_bucket(Bucket=BUCKET)
    client.close()
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture(params=["folder", "bucket"])
def lake(request, tmp_path):
    """Where a lake may lie: in a folder, and in a bucket."""
    if request.param == "folder":
        return str(tmp_path / "lake")
    request.getfixturevalue("bucket")
    return f"s3://{BUCKET}/lake"
