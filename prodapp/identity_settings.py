"""Where people who sign in are known: here, at an OpenID Connect provider, in a directory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from prodapp.environment import Environment, choice, split, url, words
from prodapp.exceptions import ConfigurationError

ROLES = ("viewer", "operator", "analyst", "admin")
LINKING = ("never", "email", "name")
YES_NO = ("yes", "no")
LDAP_SCHEMES = ("ldap", "ldaps", "ldap+starttls")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
USER_FILTER = (
    "(|(uid={username})(sAMAccountName={username})(userPrincipalName={username})(mail={username}))"
)


@dataclass(frozen=True)
class OidcSettings:
    """An OpenID Connect provider. ``name`` is what the button on the sign-in page calls it."""

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    name: str
    scopes: tuple[str, ...]
    username_claim: str
    groups_claim: str


@dataclass(frozen=True)
class LdapSettings:
    """A directory. People are looked up as ``bind_dn``, then have to bind themselves."""

    url: str
    bind_dn: str | None
    bind_password: str | None = field(repr=False)
    base_dn: str
    user_filter: str
    username_attribute: str
    id_attribute: str
    groups_attribute: str
    group_filter: str | None
    ca_file: Path | None


@dataclass(frozen=True)
class IdentitySettings:
    """``roles`` and ``sites`` map groups of provider or directory to ours; who has no group among
    ``roles`` gets ``default_role``, or is refused where there is none. ``linking`` says by what a
    stranger is taken for a user whom we know already."""

    local: bool
    oidc: OidcSettings | None
    ldap: LdapSettings | None
    roles: tuple[tuple[str, str], ...]
    default_role: str | None
    sites: tuple[tuple[str, str], ...]
    linking: str

    @property
    def takes_passwords(self) -> bool:
        """Whether a name and a password can let anybody in."""
        return self.local or self.ldap is not None


def load_identity(env: Environment) -> IdentitySettings:
    """Read the part of the environment that is about signing in.

    Raises :class:`ConfigurationError`.
    """
    settings = IdentitySettings(
        local=_is_yes(env, "LOCAL_SIGN_IN", "yes"),
        oidc=_oidc(env),
        ldap=_ldap(env),
        roles=_mapping(env, "SIGN_IN_ROLES", ROLES),
        default_role=choice(env, "SIGN_IN_DEFAULT_ROLE", ROLES, "") or None,
        sites=_mapping(env, "SIGN_IN_SITES", None),
        linking=choice(env, "SIGN_IN_LINK", LINKING, "never"),
    )
    if not settings.local and settings.oidc is None and settings.ldap is None:
        raise ConfigurationError(
            "LOCAL_SIGN_IN=no: then set OIDC_ISSUER or LDAP_URL, or nobody could sign in."
        )
    return settings


def _oidc(env: Environment) -> OidcSettings | None:
    issuer = url(env, "OIDC_ISSUER", ("http", "https"))
    if issuer is None:
        return None
    _refuse_plain(issuer, "OIDC_ISSUER", "http")
    return OidcSettings(
        issuer=issuer,
        client_id=_needed(env, "OIDC_CLIENT_ID", "OIDC_ISSUER"),
        client_secret=env.get("OIDC_CLIENT_SECRET") or None,
        name=env.get("OIDC_NAME") or "OpenID Connect",
        scopes=words(env, "OIDC_SCOPES") or ("openid", "profile", "email"),
        username_claim=env.get("OIDC_USERNAME_CLAIM") or "preferred_username",
        groups_claim=env.get("OIDC_GROUPS_CLAIM") or "groups",
    )


def _ldap(env: Environment) -> LdapSettings | None:
    address = url(env, "LDAP_URL", LDAP_SCHEMES)
    if address is None:
        return None
    _refuse_plain(address, "LDAP_URL", "ldap")
    user_filter = env.get("LDAP_USER_FILTER") or USER_FILTER
    if "{username}" not in user_filter:
        raise ConfigurationError("LDAP_USER_FILTER: say where the name goes with {username}.")
    group_filter = env.get("LDAP_GROUP_FILTER") or None
    if group_filter is not None and "{dn}" not in group_filter:
        raise ConfigurationError("LDAP_GROUP_FILTER: say where the member goes with {dn}.")
    ca_file = Path(env["LDAP_CA_FILE"]) if env.get("LDAP_CA_FILE") else None
    if ca_file is not None and not ca_file.is_file():
        raise ConfigurationError(f"LDAP_CA_FILE={str(ca_file)!r}: there is no such file.")
    return LdapSettings(
        url=address,
        bind_dn=env.get("LDAP_BIND_DN") or None,
        bind_password=env.get("LDAP_BIND_PASSWORD") or None,
        base_dn=_needed(env, "LDAP_BASE_DN", "LDAP_URL"),
        user_filter=user_filter,
        username_attribute=env.get("LDAP_USERNAME_ATTRIBUTE") or "uid",
        id_attribute=env.get("LDAP_ID_ATTRIBUTE") or "entryUUID",
        groups_attribute=env.get("LDAP_GROUPS_ATTRIBUTE") or "memberOf",
        group_filter=group_filter,
        ca_file=ca_file,
    )


def _refuse_plain(address: str, name: str, plain: str) -> None:
    """Passwords and tokens do not cross a network unencrypted."""
    parts = split(address)
    if parts is not None and parts.scheme == plain and parts.hostname not in LOOPBACK:
        raise ConfigurationError(f"{name}: unencrypted only on this host; use {plain}s:// instead.")


def _needed(env: Environment, name: str, because_of: str) -> str:
    value = (env.get(name) or "").strip()
    if not value:
        raise ConfigurationError(f"{name}: set it as well, since {because_of} is set.")
    return value


def _is_yes(env: Environment, name: str, default: str) -> bool:
    return choice(env, name, YES_NO, default) == "yes"


def _mapping(
    env: Environment, name: str, allowed: tuple[str, ...] | None
) -> tuple[tuple[str, str], ...]:
    """``group=value; group=value``; the last equals sign parts them, since names of groups in
    directories hold some."""
    pairs = []
    for entry in (env.get(name) or "").split(";"):
        if not entry.strip():
            continue
        group, equals, value = (part.strip() for part in entry.rpartition("="))
        if not (group and equals and value) or (allowed is not None and value not in allowed):
            known = f" of {', '.join(allowed)}" if allowed else ""
            raise ConfigurationError(f"{name}: write group=value{known}, parted by semicolons.")
        pairs.append((group, value))
    return tuple(pairs)
