import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from iati_platform.storage.objects import KEY_MAXIMUM, ObjectMissing, ObjectStore, ObjectStoreError
from tests.storage.s3_endpoint import s3_endpoint

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if request.param == "folder":
        yield ObjectStore((tmp_path / "objects").as_uri())
        return
    with s3_endpoint() as endpoint:
        options = f"endpoint={endpoint}&region=eu-west-1&access_key_id=a&secret_access_key=b"
        yield ObjectStore(f"s3://bucket/some/prefix?{options}")


def test_what_is_put_is_got_until_it_is_deleted(store: ObjectStore) -> None:
    body = bytes(range(256)) * 1000
    store.put("content/ab/one.gz", body)
    store.put("content/ab/one.gz", body[::-1])
    store.put("empty", b"")
    assert store.get("content/ab/one.gz") == body[::-1]
    assert store.get("empty") == b""
    assert [store.size(key) for key in ("content/ab/one.gz", "empty", "nothing")] == [256_000, 0, None]
    assert [store.exists(key) for key in ("content/ab/one.gz", "empty", "nothing")] == [True, True, False]
    store.delete("content/ab/one.gz")
    store.delete("content/ab/one.gz")
    assert not store.exists("content/ab/one.gz")
    for read in (store.get, lambda key: store.get_range(key, 0, 1), lambda key: store.get_range(key, 0, 0)):
        with pytest.raises(ObjectMissing):
            read("content/ab/one.gz")
    store.flush()


def test_ranges_end_where_the_object_ends(store: ObjectStore) -> None:
    store.put("k", b"0123456789")
    assert [store.get_range("k", *at) for at in ((0, 3), (8, 5), (10, 1), (50, 1), (4, 0))] == [b"012", b"89", b"", b"", b""]
    with pytest.raises(ValueError, match="range"):
        store.get_range("k", -1, 2)


def test_a_listing_names_everything_below_a_folder(store: ObjectStore) -> None:
    for key in ("a/1", "a/b/2", "ab/3", "4"):
        store.put(key, key.encode())
    assert sorted(store.list()) == [("4", 1), ("a/1", 3), ("a/b/2", 5), ("ab/3", 4)]
    assert sorted(store.list("a")) == sorted(store.list("a/")) == [("a/1", 3), ("a/b/2", 5)]
    assert list(store.list("none")) == []


def test_a_folder_is_not_an_object(store: ObjectStore) -> None:
    store.put("a/b", b"1")
    assert not store.exists("a")
    with pytest.raises(ObjectMissing):
        store.get("a")
    store.delete("a")
    assert store.get("a/b") == b"1"


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "..", "a/../b", "./a", ".hidden", "a/.b", "a\\b", "a b", "a\0", "ä", "a\n", "x" * (KEY_MAXIMUM + 1)]
)
def test_keys_cannot_leave_the_store(store: ObjectStore, key: str) -> None:
    for operation in (store.get, store.exists, store.delete, store.local_path, lambda key: store.put(key, b"")):
        with pytest.raises(ValueError, match="not an object key"):
            operation(key)


def test_prefixes_cannot_leave_the_store(store: ObjectStore) -> None:
    for prefix in ("..", "a/../..", "/etc", ".incoming"):
        with pytest.raises(ValueError, match="not a key prefix"):
            store.list(prefix)


def test_only_a_folder_has_local_paths(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path / "with space" / "ü")
    store.put("a/b", b"1")
    assert store.local_path("a/b") == tmp_path / "with space" / "ü" / "a" / "b"
    assert store.local_path("a/c") is None
    assert ObjectStore((tmp_path / "with space" / "ü").as_uri()).get("a/b") == b"1"
    with s3_endpoint() as endpoint:
        bucket = ObjectStore(f"s3://bucket?endpoint={endpoint}&region=x&access_key_id=a&secret_access_key=b")
        bucket.put("a/b", b"1")
        assert bucket.local_path("a/b") is None
        assert repr(bucket) == "ObjectStore('s3://bucket')"


def test_readers_see_the_old_bytes_or_the_new_ones_and_never_a_mixture(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    store.put("k", b"0" * 300_000)
    stop = threading.Event()

    def write() -> None:
        digit = 0
        while not stop.is_set():
            digit = (digit + 1) % 10
            store.put("k", str(digit).encode() * 300_000)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(300):
            body = store.get("k")
            assert len(body) == 300_000
            assert body == body[:1] * 300_000
    finally:
        stop.set()
        writer.join()


def test_a_killed_put_leaves_the_old_object_and_rubbish_that_is_swept_later(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    store.put("k", b"old")
    program = f"""
import os, signal
from iati_platform.storage import folder
from iati_platform.storage.objects import ObjectStore
def killed(descriptor, data):
    os.write(descriptor, data[:10])
    os.kill(os.getpid(), signal.SIGKILL)
folder._write_all = killed
ObjectStore({str(tmp_path)!r}).put("k", b"new" * 1000)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, env={"PYTHONPATH": str(ROOT / "src")})
    assert done.returncode == -signal.SIGKILL
    assert store.get("k") == b"old"
    assert list(store.list()) == [("k", 3)]
    assert store.sweep() == 0  # it might still be under way
    (left,) = (tmp_path / ".incoming").iterdir()
    os.utime(left, (0, 0))
    assert [store.sweep(), store.sweep()] == [1, 0]


def test_a_full_disk_leaves_the_old_object_and_nothing_else(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    store.put("k", b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # the system's own way to end a write in its middle
    try:
        with pytest.raises(OSError, match="File too large"):
            store.put("k", b"n" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert store.get("k") == b"old"
    assert list((tmp_path / ".incoming").iterdir()) == []


def test_a_store_that_refuses_is_named_without_its_secrets() -> None:
    with s3_endpoint() as endpoint:
        store = ObjectStore(f"s3://forbidden?endpoint={endpoint}&region=x&access_key_id=a&secret_access_key=hush")
        with pytest.raises(ObjectStoreError, match="s3://forbidden: ") as caught:
            store.get("k")
    assert "hush" not in str(caught.value)


def test_other_schemes_and_options_are_refused() -> None:
    with pytest.raises(ValueError, match="no object store for ftp://"):
        ObjectStore("ftp://host/x")
    with pytest.raises(ObjectStoreError, match="s3://bucket cannot be opened"):
        ObjectStore("s3://bucket?colour=green")
