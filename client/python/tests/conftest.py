import socket

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def send():
    """Sends DogStatsD lines to a session, each as a datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        yield lambda session, *lines: [udp.sendto(line.encode(), (session.host, session.port)) for line in lines]
