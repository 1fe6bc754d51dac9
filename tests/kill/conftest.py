import pytest

from tests.kill.asker import Server


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("uploads"))
    yield server
    server.stop()
