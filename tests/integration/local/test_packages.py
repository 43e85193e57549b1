"""Installing what a lock file names: into a folder of its own, and with a plain word where it cannot be."""

import shutil

import pytest

from local import packages
from local.packages import NoBuild, Packages, PackagesError


@pytest.fixture
def lock(tmp_path):
    path = tmp_path / "lock.txt"
    shutil.copy(packages.STORE.lock_file, path)
    return path


def test_they_are_installed_once_and_older_ones_go(lock, tmp_path):
    wanted = Packages("store", lock, tmp_path / "packages")
    older = tmp_path / "packages" / "store-000000000000"
    older.mkdir(parents=True)
    assert not wanted.installed
    folder = wanted.install()
    assert (folder / "ministack").is_dir()
    assert wanted.installed
    assert not older.exists()
    before = folder.stat().st_mtime_ns
    assert wanted.install() == folder
    assert folder.stat().st_mtime_ns == before


def test_another_hash_is_refused(lock, tmp_path):
    text = lock.read_text()
    lock.write_text(text.split(" ", 1)[0] + f" --hash=sha256:{'0' * 64}\n")
    wanted = Packages("store", lock, tmp_path / "packages")
    with pytest.raises(PackagesError):
        wanted.install()
    assert not wanted.installed
    assert not wanted.unavailable


def test_without_a_network_it_is_no_missing_build(lock, tmp_path, monkeypatch):
    for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    for name, value in {"PIP_CONFIG_FILE": "/dev/null", "PIP_RETRIES": "1", "PIP_NO_CACHE_DIR": "1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    wanted = Packages("store", lock, tmp_path / "packages")
    with pytest.raises(PackagesError) as failed:
        wanted.install()
    assert not isinstance(failed.value, NoBuild)
    assert not wanted.unavailable
