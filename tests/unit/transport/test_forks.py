"""A process that is forked opens its own connections: over a shared one answers get mixed up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.servers import Peer, SocketServer

ROOT = Path(__file__).parents[3]
CHILDREN, CALLS = 4, 60
# In a process of its own, because this one has threads, which do not survive a fork.
FORK = """
import os, sys
from tests.helpers.clients import new_session
from tests.helpers.settings import read
from airflow_provider_useapi.transport.sync_client import SyncClient

url, way, children, calls = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
client, session = SyncClient(read(url)), new_session(read(url))

def ask(number):
    path = f"/{os.getpid()}/{number}"
    body = client.get(path).body if way == "client" else session.get(url + path).content
    return body == path.encode()

assert ask("before")
forked = []
for _ in range(children):
    if not (pid := os.fork()):
        os._exit(sum(not ask(number) for number in range(calls)))
    forked.append(pid)
wrong = [sum(not ask(number) for number in range(calls))]
wrong += [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in forked]
print(wrong)
"""
CLOSE = """
import os, sys
from tests.helpers.settings import read
from airflow_provider_useapi.transport.sync_client import SyncClient

client = SyncClient(read(sys.argv[1]))
client.get("/1")
if not (pid := os.fork()):
    client.close()
    os._exit(0)
os.waitpid(pid, 0)
assert client.get("/2").body == b"/2"
"""


def echo(peer: Peer) -> None:
    """Answer each request with its own path."""
    while head := peer.read_head():
        path = head.split(" ")[1].encode()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))


def run(script: str, *arguments: object) -> str:
    """What a script prints, in which a warning is an error."""
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize("way", ["client", "session"])
def test_children_open_connections_of_their_own(way: str) -> None:
    with SocketServer(echo) as server:
        wrong = run(FORK, server.url, way, CHILDREN, CALLS)
        assert (wrong, server.connections) == (str([0] * (CHILDREN + 1)), CHILDREN + 1)


def test_what_a_child_closes_is_its_own() -> None:
    """The parent's connection outlives the client of its child."""
    with SocketServer(echo) as server:
        run(CLOSE, server.url)
        assert server.connections == 1
