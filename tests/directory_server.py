"""``python tests/directory_server.py LDIF KEYS``: an LDAP server that others may ask.

Prints the ports on which it listens, plain and encrypted, and ends with its standard input.
"""

from __future__ import annotations

import io
import sys
import threading

from ldaptor.inmemory import fromLDIFFile
from ldaptor.interfaces import IConnectedLDAPEntry
from ldaptor.protocols.ldap.ldapserver import LDAPServer
from twisted.internet import reactor, ssl
from twisted.internet.protocol import ServerFactory
from twisted.python.components import registerAdapter


class Directory(ServerFactory):
    """Hands the tree to each connection."""

    protocol = LDAPServer

    def __init__(self, root: object) -> None:
        self.root = root


def main(ldif: bytes, keys: str) -> None:
    registerAdapter(lambda factory: factory.root, Directory, IConnectedLDAPEntry)

    def listen(root: object) -> None:
        factory = Directory(root)
        plain = reactor.listenTCP(0, factory, interface="127.0.0.1")
        context = ssl.DefaultOpenSSLContextFactory(keys, keys)
        sealed = reactor.listenSSL(0, factory, context, interface="127.0.0.1")
        print(plain.getHost().port, sealed.getHost().port, flush=True)  # noqa: T201

    fromLDIFFile(io.BytesIO(ldif + b"\n")).addCallback(listen)
    watcher = threading.Thread(
        target=lambda: (sys.stdin.read(), reactor.callFromThread(reactor.stop)), daemon=True
    )
    watcher.start()
    reactor.run()


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        main(file.read(), sys.argv[2])
