"""A lake in a bucket, whose writer is killed before or after any request that changes it."""

from itertools import count

import boto3
import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
from tests.kill.asker import Server
from tests.kill.case import Case

pytestmark = pytest.mark.slow
BUCKET = "kill"
VERBS = {
    "ingest": {},
    "compact": {"before": ["hours"]},
    "replace": {"before": ["hours", "compact"], "swept": True},
}


class Prefixes:
    """Lakes in a bucket: ``name`` is one of them."""

    numbers = count()

    def __init__(self, client):
        self.client, self.base = client, f"case-{next(self.numbers)}"

    def make(self, name):
        return self.place(name)

    def place(self, name):
        return f"s3://{BUCKET}/{self.base}/{name}"

    def keys(self, name):
        pages = self.client.get_paginator("list_objects_v2")
        prefix = f"{self.base}/{name}/"
        for page in pages.paginate(Bucket=BUCKET, Prefix=prefix):
            for entry in page.get("Contents", []):
                yield entry["Key"], entry["Key"].removeprefix(prefix)

    def copy(self, of, name):
        for key, path in self.keys(of):
            source = {"Bucket": BUCKET, "Key": key}
            place = f"{self.base}/{name}/{path}"
            self.client.copy_object(Bucket=BUCKET, Key=place, CopySource=source)
        return self.place(name)

    def drop(self, name):
        for key, _ in list(self.keys(name)):
            self.client.delete_object(Bucket=BUCKET, Key=key)

    def tree(self, name):
        """Return every object of a lake, the ledger too."""
        return {
            path: self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            for key, path in self.keys(name)
        }


@pytest.fixture(scope="module")
def case_of(s3_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bucket")
    archive = folder / "archive"
    spec = WorldSpec(coins=2, accounts=20)
    write_archive(spec, 1, archive, snapshot_every=12, books=False, contexts=False)
    keys = {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    environment = keys | {"AWS_ENDPOINT_URL": s3_server, "AWS_EC2_METADATA_DISABLED": "true"}
    server = Server(folder, **environment)
    client = boto3.client(
        "s3",
        endpoint_url=s3_server,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket=BUCKET)
    made = {}

    def of(verb):
        if verb not in made:
            about = {"archive": str(archive)} if verb == "ingest" else {}
            made[verb] = Case(
                server, Prefixes(client), verb, about=lambda lake: about, **VERBS[verb]
            )
        return made[verb]

    yield of
    server.stop()
    client.close()


@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_any_request_it_has_done_everything_or_nothing(case_of, verb):
    case_of(verb).hold_steps(2, 24, least=3)


@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_any_time_it_has_done_everything_or_nothing(case_of, verb):
    case_of(verb).hold_times(1, 6)
