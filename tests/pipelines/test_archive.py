import io

import pytest

from pipelines.sources.archive import Archive


@pytest.fixture
def root(tmp_path):
    for path in ("b/2.lz4", "b/10.lz4", "b/deep/1.txt", "a.lz4"):
        file = tmp_path / "bucket" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(path.encode())
    return tmp_path / "bucket"


def test_files_are_sorted_relative_and_below_the_prefix(root):
    archive = Archive(str(root))
    assert archive.files() == ["a.lz4", "b/10.lz4", "b/2.lz4", "b/deep/1.txt"]
    assert archive.files("b", ".lz4") == ["b/10.lz4", "b/2.lz4"]
    assert archive.files("b/") == ["b/10.lz4", "b/2.lz4", "b/deep/1.txt"]
    assert archive.sizes("b", ".lz4") == {"b/10.lz4": 8, "b/2.lz4": 7}


def test_folders_are_those_directly_below(root):
    archive = Archive(f"{root}/")
    assert (archive.folders(), archive.folders("b")) == (["b"], ["b/deep"])


def test_a_prefix_that_is_not_there_holds_nothing(root):
    archive = Archive(str(root))
    assert (archive.files("c"), archive.folders("c"), archive.has("c")) == ([], [], False)


def test_a_file_is_read_whole_or_as_a_stream(root):
    archive = Archive(str(root))
    assert archive.read("b/2.lz4") == b"b/2.lz4"
    assert archive.size("b/2.lz4") == 7
    with archive.open("b/2.lz4") as stream:
        stream.seek(-4, io.SEEK_END)
        assert stream.read() == b".lz4"


def test_what_was_added_later_is_seen(root):
    archive = Archive(str(root))
    archive.files()
    (root / "c.lz4").write_bytes(b"")
    assert "c.lz4" in archive.files()


def test_a_root_that_does_not_exist_is_named(root):
    with pytest.raises(FileNotFoundError, match=r"root .*bucket/none: no such folder"):
        Archive(f"{root}/none")
    with pytest.raises(FileNotFoundError, match=r"a\.lz4: no such folder"):
        Archive(f"{root}/a.lz4")


def test_a_root_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="root ftp://host/x: must be a folder or an s3:// URL"):
        Archive("ftp://host/x")


@pytest.mark.parametrize("path", ["../secret", "b/../../secret", "/etc/passwd"])
def test_a_path_cannot_leave_the_root(root, path):
    (root.parent / "secret").write_bytes(b"x")
    archive = Archive(str(root))
    for ask in (archive.read, archive.open, archive.files, archive.folders, archive.has):
        with pytest.raises(ValueError, match="leaves the archive"):
            ask(path)


def test_the_bucket_is_found_at_the_root_and_one_level_below(root):
    for given in (root, root.parent, f"{root.parent}/"):
        archive = Archive.holding(str(given), "bucket", "b/deep")
        assert archive.files("b/deep") == ["b/deep/1.txt"]


def test_a_root_without_the_prefix_says_what_was_looked_for(root):
    with pytest.raises(FileNotFoundError, match="holds neither c/ nor bucket/c/"):
        Archive.holding(str(root.parent), "bucket", "c")


def test_an_archive_that_forgets_still_tells_where_rows_came_from(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    archive = Archive(str(tmp_path))
    archive.read("a")
    before = archive.origins("a")
    archive.forget()
    assert archive._seen == {}
    assert archive.origins("a") == before
