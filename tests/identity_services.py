"""A provider and a directory as processes of their own, for tests of signing in."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from prodapp.processes import terminate_all
from tests.services import START_SECONDS, ServiceUnavailable

PUBLIC_URL = "http://127.0.0.1:8001"
CLIENT_SECRET = "the secret of the provider's client"
PROVIDER_USERS = """\
config_version: 1
users:
  ana:
    password: "ana at the provider"
    email: "ana@example.org"
    groups: [plant-analysts, plant 2]
  bruno:
    password: "bruno at the provider"
    email: "bruno@example.org"
    groups: [canteen]
"""
PROVIDER_SETTINGS = """\
config_version: 1
server: {{host: 127.0.0.1, port: {port}}}
security_profile: oauth21
logging: {{verbose_logging: false}}
oauth:
  issuer: http://127.0.0.1:{port}
  audience: prodapp
  clients:
    - client_id: prodapp
      client_secret: "{secret}"
      redirect_uris: ["{public_url}/app/sign-in/provider/back"]
"""
DIRECTORY = """\
dn: dc=plant,dc=example
objectClass: dcObject
dc: plant

dn: ou=people,dc=plant,dc=example
objectClass: organizationalUnit
ou: people

dn: cn=prodapp,dc=plant,dc=example
objectClass: person
cn: prodapp
userPassword: the service's own

dn: uid=carla,ou=people,dc=plant,dc=example
objectClass: inetOrgPerson
uid: carla
cn: Carla
mail: carla@example.org
entryUUID: 11111111-aaaa-4bbb-8ccc-000000000001
memberOf: cn=Analysts,ou=groups,dc=plant,dc=example
userPassword: carla in the directory

dn: uid=dario,ou=people,dc=plant,dc=example
objectClass: inetOrgPerson
uid: dario
cn: Dario
mail: dario@example.org
entryUUID: 11111111-aaaa-4bbb-8ccc-000000000002
userPassword: dario in the directory

dn: uid=twin1,ou=people,dc=plant,dc=example
objectClass: inetOrgPerson
uid: twin1
mail: twins@example.org
userPassword: one of two

dn: uid=twin2,ou=people,dc=plant,dc=example
objectClass: inetOrgPerson
uid: twin2
mail: twins@example.org
userPassword: one of two

dn: ou=groups,dc=plant,dc=example
objectClass: organizationalUnit
ou: groups

dn: cn=night shift,ou=groups,dc=plant,dc=example
objectClass: groupOfNames
cn: night shift
member: uid=dario,ou=people,dc=plant,dc=example
"""


@dataclass(frozen=True)
class Provider:
    """A running OpenID Connect provider, which insists on PKCE."""

    issuer: str

    @property
    def environ(self) -> dict[str, str]:
        """What points an application at it."""
        return {
            "PUBLIC_URL": PUBLIC_URL,
            "OIDC_ISSUER": self.issuer,
            "OIDC_CLIENT_ID": "prodapp",
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "OIDC_NAME": "Plant ID",
        }

    def sign_in(self, address: str, username: str) -> str:
        """Do what a person does at ``address``; returns where the browser is sent back to."""
        browser = requests.Session()
        page = browser.get(address, timeout=10)
        fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text))
        fields |= {"username": username, "password": f"{username} at the provider"}
        answer = browser.post(page.url, data=fields, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text[:500]
        return answer.headers["Location"].removeprefix(PUBLIC_URL)


@dataclass(frozen=True)
class Directory:
    """A running LDAP server: ``certificate`` is the file that its encrypted port proves."""

    port: int
    sealed_port: int
    certificate: Path

    @property
    def environ(self) -> dict[str, str]:
        """What points an application at it."""
        return {
            "LDAP_URL": f"ldap://127.0.0.1:{self.port}",
            "LDAP_BASE_DN": "dc=plant,dc=example",
            "LDAP_BIND_DN": "cn=prodapp,dc=plant,dc=example",
            "LDAP_BIND_PASSWORD": "the service's own",
        }


@contextmanager
def running_provider(folder: Path) -> Iterator[Provider]:
    port = _free_port()
    (folder / "users.yaml").write_text(PROVIDER_USERS)
    settings = PROVIDER_SETTINGS.format(port=port, secret=CLIENT_SECRET, public_url=PUBLIC_URL)
    (folder / "settings.yaml").write_text(settings)
    log = folder / "provider.log"
    words = [sys.executable, "-m", "nanoidp", "--config", str(folder), "--profile", "oauth21"]
    with log.open("wb") as file:
        process = subprocess.Popen(words, cwd=folder, stdout=file, stderr=file)
    try:
        provider = Provider(f"http://127.0.0.1:{port}")
        _wait(lambda: requests.get(f"{provider.issuer}/.well-known/jwks.json", timeout=2), log)
        yield provider
    finally:
        terminate_all([process], grace=3)


@contextmanager
def running_directory(folder: Path) -> Iterator[Directory]:
    (folder / "people.ldif").write_text(DIRECTORY)
    keys = folder / "keys.pem"
    _write_keys(keys)
    script = Path(__file__).with_name("directory_server.py")
    words = [sys.executable, str(script), str(folder / "people.ldif"), str(keys)]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        ports = process.stdout.readline().split()
        if len(ports) != 2:
            raise ServiceUnavailable("The directory server did not start.")
        yield Directory(int(ports[0]), int(ports[1]), keys)
    finally:
        terminate_all([process], grace=3)
        process.stdin.close()
        process.stdout.close()


def _write_keys(path: Path) -> None:
    """A key and a certificate for 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(ask: object, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            if ask().ok:  # type: ignore[operator]
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise ServiceUnavailable(f"The provider did not start: {log.read_text()[-2000:]}")
