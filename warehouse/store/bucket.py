"""This module keeps a lake in an S3-compatible bucket.

Endpoint, region and credentials come from the usual ``AWS_*`` variables and files.  An object
appears whole or not at all; the ledger is replaced only if nobody else has done so meanwhile
(conditional writes: Amazon S3 since 2024-11, MinIO, R2).
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import s3fs
from botocore.exceptions import BotoCoreError, ClientError
from fsspec.asyn import sync

from warehouse.store.lake import Lake, Lost

if TYPE_CHECKING:
    import duckdb

TRIES = 30
FOLDERS = 16  # are listed one by one, more with the whole lake: a list has 1,000 files
_REFUSED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


class BucketLake(Lake):
    """A lake under ``s3://bucket/prefix``; the bucket must be there."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        self._base = self.root.removeprefix("s3://")
        if "@" in self._base:  # and what stands before it may be a secret
            raise ValueError("lake: credentials belong in AWS_* variables, not in the URL")
        if not self._base.partition("/")[0]:
            raise ValueError(f"lake {root}: names no bucket")
        self._fs = s3fs.S3FileSystem(use_listings_cache=False)

    def exists(self) -> bool:
        """Return whether there is the bucket; a prefix without objects is an empty lake."""
        bucket = self._base.partition("/")[0]
        with self._asked():
            try:
                self._fs.call_s3("head_bucket", Bucket=bucket)
            except FileNotFoundError:
                return False
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in {"NoSuchBucket", "404"}:
                    return False
                raise
        return True

    def place(self, path: str) -> str:
        """Return the object's URL."""
        return f"{self.root}/{self.checked(path)}"

    def pattern(self, path: str) -> str:
        """Return the object's URL; part names hold no character that a glob expands."""
        return self.place(path)

    @property
    def readable(self) -> str:
        """Return the URL."""
        return f"{self.root}/"

    def connect(self, con: "duckdb.DuckDBPyConnection") -> Lost:
        """Let DuckDB read through a filesystem that lists once what it is asked for.

        Its own S3 reader is an extension, which it would have to download.  Without the listing
        it asks for each file's size three times: 22,000 questions for a map on a year of hours.
        """
        reader = s3fs.S3FileSystem(use_listings_cache=True, skip_instance_cache=True)
        if "s3" in con.list_filesystems():
            con.unregister_filesystem("s3")
        con.register_filesystem(reader)

        def lost(paths: Iterable[str]) -> set[str]:
            wanted = {path: f"{self._base}/{self.checked(path)}" for path in paths}
            folders = {full.rpartition("/")[0] for full in wanted.values()}
            there: set[str] = set()
            with self._asked():
                for folder in folders if len(folders) <= FOLDERS else {self._base}:
                    there.update(reader.find(folder))
            return {path for path, full in wanted.items() if full not in there}

        return lost

    def read(self, path: str) -> bytes | None:
        """Return the object's bytes, or None."""
        with self._asked():
            return self._tagged(path)[0]

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return objects below ``prefix`` and their sizes."""
        return {path: entry["size"] for path, entry in self._objects(prefix).items()}

    def changed(self, prefix: str) -> dict[str, datetime]:
        """Return objects below ``prefix`` and when each was written, by the bucket's clock."""
        return {path: entry["LastModified"] for path, entry in self._objects(prefix).items()}

    def _objects(self, prefix: str) -> dict[str, dict[str, Any]]:
        with self._asked():
            found = self._fs.find(f"{self._base}/{self.checked(prefix)}", detail=True)
        return {
            full.removeprefix(f"{self._base}/"): entry for full, entry in sorted(found.items())
        }

    @contextmanager
    def stage(self) -> Iterator[Path]:
        """Yield a temporary folder: what is not uploaded was never there."""
        with TemporaryDirectory(prefix="undertow-") as name:
            yield Path(name)

    def publish(self, drafts: Iterable[tuple[Path, str]]) -> None:
        """Upload drafts to their places."""
        with self._asked():
            for draft, path in drafts:
                self._fs.put_file(str(draft), f"{self._base}/{self.checked(path)}")

    def remove(self, paths: Iterable[str]) -> None:
        """Delete objects."""
        full = [f"{self._base}/{self.checked(path)}" for path in paths]
        if full:
            with self._asked():
                self._fs.rm(full)

    def swap(self, path: str, change: Callable[[bytes | None], bytes | None]) -> None:
        """Change the object on the condition that it is still the one that was read."""
        for attempt in range(TRIES):
            with self._asked():
                before, tag = self._tagged(path)
            if (body := change(before)) is None:
                return
            condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
            bucket, _, key = f"{self._base}/{self.checked(path)}".partition("/")
            with self._asked():
                try:
                    self._fs.call_s3(
                        "put_object", Bucket=bucket, Key=key, Body=body, **condition
                    )
                    return
                except (OSError, ClientError) as error:
                    if not _is_refusal(error):
                        raise
            time.sleep(random.uniform(0, 0.05 * (attempt + 1)))
        raise OSError(f"lake {self.root}: {path} was changed by others {TRIES} times in a row")

    def _tagged(self, path: str) -> tuple[bytes | None, str | None]:
        """Return an object's bytes and its tag, of one and the same version."""
        bucket, _, key = f"{self._base}/{self.checked(path)}".partition("/")
        try:
            answer = self._fs.call_s3("get_object", Bucket=bucket, Key=key)
        except FileNotFoundError:
            return None, None
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in {"NoSuchKey", "404"}:
                return None, None
            raise
        return self._body(answer["Body"]), answer["ETag"]

    def _body(self, stream: object) -> bytes:
        """Return what an answer's stream holds; it belongs to the filesystem's event loop."""

        async def whole() -> bytes:
            return await stream.read()  # type: ignore[attr-defined, no-any-return]

        return sync(self._fs.loop, whole)  # type: ignore[no-any-return]

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Turn what the AWS library raises into one line that names the lake."""
        try:
            yield
        except (BotoCoreError, ClientError, OSError) as error:
            reason = " ".join(str(error).split())
            raise OSError(f"lake {self.root}: {reason}") from error


def _is_refusal(error: OSError | ClientError) -> bool:
    """Return whether a write failed because somebody else wrote first."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ClientError):
            return cause.response.get("Error", {}).get("Code") in _REFUSED
        cause = cause.__cause__ or cause.__context__
    return "pre-condition" in str(error).lower()
