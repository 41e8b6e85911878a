# Calls out in every way that Python knows.
import urllib.request


def sockets():
    import socket

    socket.create_connection(("127.0.0.1", 80), timeout=1)


def datagrams():
    import socket

    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("8.8.8.8", 53))


def names():
    import socket

    socket.getaddrinfo("example.org", 443)


def listening():
    import socket

    socket.socket().bind(("127.0.0.1", 0))


def url():
    urllib.request.urlopen("http://127.0.0.1:1/")


for attempt in [sockets, datagrams, names, listening, url]:
    try:
        attempt()
        print(attempt.__name__, "done")
    except Exception:
        print(attempt.__name__, "refused")
