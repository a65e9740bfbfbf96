"""Do the files that ship prodapp name things that exist? Prints what does not, and ends with 1.

Linters and schemas look at each file alone (see ``make check-delivery``); this looks at what the
files say of each other and of the code: stages, paths, commands, variables, ports, series.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from prodapp import create_app, metrics, monitoring  # noqa: E402
from prodapp.config import load_settings  # noqa: E402
from scripts import image_context  # noqa: E402

DEPLOY = ROOT / "deploy"
PORTS = {"web": 8001, "worker": 9101, "dispatcher": 9101, "prometheus": 9090}
FOREIGN_SERIES = {"up"}
PIPELINES = (".github/workflows/ci.yml", ".github/workflows/deploy.yml", "Jenkinsfile", ".ci/run")
# What the environment of a container may name beside prodapp's own settings.
COMPOSE_ONLY = {"PRODAPP_IMAGE", "PUBLIC_HOST", "WEB_PORT", "WORKERS"} | {
    "DATABASE_PASSWORD",
    "QUEUE_PASSWORD",
    "GRAFANA_PASSWORD",
}


def read(*parts: str) -> str:
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def documents(path: Path) -> list[Any]:
    return [doc for doc in yaml.safe_load_all(path.read_text(encoding="utf-8")) if doc]


def known_settings() -> set[str]:
    """The variables that prodapp reads."""
    return set(re.findall(r"^# ?([A-Z_]+)=", read(".env.example"), re.MULTILINE))


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", read("Makefile"), re.MULTILINE))


@cache
def flask_commands() -> set[str]:
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(load_settings({"PRODAPP_INSTANCE": folder}))
        return {*app.cli.commands, "run", "db"}


def check_command(where: str, words: list[str], commands: set[str]) -> Iterator[str]:
    """A container's command: a module of Python's or a command of Flask's."""
    if words[:2] == ["python", "-m"]:
        if importlib.util.find_spec(words[2]) is None:
            yield f"{where}: there is no module {words[2]}"
    elif words[0] == "flask":
        if words[1] not in commands:
            yield f"{where}: there is no command flask {words[1]}"
    else:
        yield f"{where}: neither python -m nor flask: {' '.join(words)}"


def is_ignored(path: str) -> bool:
    """Whether .dockerignore keeps ``path`` out of the image."""
    return image_context.is_ignored(path, read(".dockerignore"))


def dockerfile() -> Iterator[str]:
    text = read("Dockerfile")
    stages = re.findall(r"^FROM .* AS (\w+)$", text, re.MULTILINE)
    for source in re.findall(r"^COPY --from=(\w+)", text, re.MULTILINE):
        if source not in stages:
            yield f"Dockerfile: there is no stage {source}"
    for paths in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for path in paths.split():
            if path != "." and not (ROOT / path).exists():
                yield f"Dockerfile: {path} does not exist"
            if path != "." and is_ignored(path):
                yield f"Dockerfile: .dockerignore keeps {path} out"
    for path in ("prodapp/app.py", "migrations/env.py", "wsgi.py", "prodapp/static/app.css"):
        if is_ignored(path) or not (ROOT / path).exists():
            yield f".dockerignore: the image needs {path}"
    for path in (".env", "instance/secret_key", "tests/conftest.py", ".git/config"):
        if not is_ignored(path):
            yield f".dockerignore: {path} would be in the image"
    known = known_settings() | {"PATH", "FLASK_APP", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
    for name in re.findall(r"^(?:ENV| {4})\s*([A-Z_]+)=\S+ ?\\?$", text, re.MULTILINE):
        if name not in known and not name.startswith("PIP_"):
            yield f"Dockerfile: {name} is no setting"
    if "USER 10001" not in text or "HEALTHCHECK" not in text:
        yield "Dockerfile: it must name a user and a health check"
    for name in ("compose.yaml", ".github/workflows/ci.yml", "Jenkinsfile"):
        for target in re.findall(r"target[: ]+(\w+)", read(name)):
            if target not in stages and target != "deploy":
                yield f"{name}: the Dockerfile has no stage {target}"


def compose() -> Iterator[str]:
    text = read("compose.yaml")
    document = yaml.safe_load(text)
    services, commands = document["services"], flask_commands()
    known = known_settings()
    for name, service in services.items():
        where = f"compose.yaml, {name}"
        if "build" in service:
            yield from check_command(where, service["command"], commands)
            test = service.get("healthcheck", {}).get("test")
            if test:
                yield from check_command(where, test[1:], commands)
            for variable in set(service["environment"]) - known:
                yield f"{where}: {variable} is no setting"
        for other in service.get("depends_on", {}):
            if other not in services:
                yield f"{where}: there is no service {other}"
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("./") and not (ROOT / source).exists():
                yield f"{where}: {source} does not exist"
            if not source.startswith("./") and source not in document["volumes"]:
                yield f"{where}: there is no volume {source}"
    used = set(re.findall(r"\$\{([A-Z_]+)", text))
    for path in sorted(DEPLOY.glob("*.env.example")):
        given = set(re.findall(r"^([A-Z_]+)=", path.read_text(encoding="utf-8"), re.MULTILINE))
        yield from (f"{path.name}: {name} is missing" for name in sorted(used - given))
        for name in sorted(given - known - COMPOSE_ONLY):
            yield f"{path.name}: {name} is no setting"
        profile = path.name.split(".")[0]
        if not any(profile in service["profiles"] for service in services.values()):
            yield f"{path.name}: compose.yaml has no profile {profile}"


def ports() -> Iterator[str]:
    """Where one file says at which port another's process listens."""
    for service, port in re.findall(r"reverse_proxy (\w+):(\d+)", read("deploy/proxy/Caddyfile")):
        if PORTS.get(service) != int(port):
            yield f"Caddyfile: {service} does not listen on {port}"
    scrapes = yaml.safe_load(read("deploy/prometheus/prometheus.yml"))["scrape_configs"]
    for target in (item for scrape in scrapes for item in scrape["dns_sd_configs"]):
        for name in target["names"]:
            if PORTS.get(name) != target["port"]:
                yield f"prometheus.yml: {name} does not listen on {target['port']}"
    exposed = {
        int(port) for port in re.findall(r"^EXPOSE (.+)$", read("Dockerfile"), re.M)[0].split()
    }
    if exposed != {8001, 9101} or "PORT=8001" not in read("Dockerfile"):
        yield f"Dockerfile: it exposes {exposed}"
    if set(re.findall(r'METRICS_PORT: "(\d+)"', read("compose.yaml"))) != {"9101"}:
        yield "compose.yaml: METRICS_PORT is not what prometheus.yml asks at"


def kubernetes() -> Iterator[str]:
    folder = DEPLOY / "kubernetes"
    listed = documents(folder / "kustomization.yaml")[0]["resources"]
    yield from (f"kustomization.yaml: {n} is missing" for n in listed if not (folder / n).exists())
    paths = [folder / name for name in listed if (folder / name).exists()]
    objects = [doc for path in paths for doc in documents(path)]
    objects += documents(folder / "secret.example.yaml")
    there = {(doc["kind"], doc["metadata"]["name"]) for doc in objects}
    commands, known = flask_commands(), known_settings()
    for doc in objects:
        where = f"kubernetes, {doc['metadata']['name']}"
        for name in set(doc.get("data", {})) | set(doc.get("stringData", {})):
            if name not in known:
                yield f"{where}: {name} is no setting"
        text = json.dumps(doc)
        for kind, pattern in (
            ("ConfigMap", r'"configMapRef": {"name": "([^"]+)"'),
            ("Secret", r'"secretRef": {"name": "([^"]+)"'),
            ("PersistentVolumeClaim", r'"claimName": "([^"]+)"'),
            ("Deployment", r'"scaleTargetRef": .*?"name": "([^"]+)"'),
            ("Service", r'"service": {"name": "([^"]+)"'),
        ):
            for name in re.findall(pattern, text):
                if (kind, name) not in there:
                    yield f"{where}: there is no {kind} {name}"
        for words in re.findall(r'"command": (\[[^\]]+\])', text):
            yield from check_command(where, json.loads(words), commands)
    rule = documents(folder / "adapter-rule.yaml")[0]["rules"]["external"][0]
    if rule["name"]["as"] not in (folder / "autoscaling.yaml").read_text(encoding="utf-8"):
        yield "autoscaling.yaml: no rule of adapter-rule.yaml makes its figure"


def pipelines() -> Iterator[str]:
    targets = make_targets()
    for name in (
        ".github/workflows/ci.yml",
        ".github/workflows/deploy.yml",
        "Jenkinsfile",
        ".ci/run",
    ):
        text = read(name)
        for target in re.findall(r"\bmake ([a-z][a-z-]*)", text):
            if target not in targets:
                yield f"{name}: make knows no {target}"
        for path in re.findall(r"(?:\./)?((?:scripts|\.github)/[\w./-]+\.(?:sh|py|yml))", text):
            if not (ROOT / path).exists():
                yield f"{name}: {path} does not exist"
    text = re.sub(r"'[^']*'|\"[^\"]*\"|//[^\n]*", "", read("Jenkinsfile"))
    for opening, closing in ("{}", "()", "[]"):
        if text.count(opening) != text.count(closing):
            yield f"Jenkinsfile: {opening} and {closing} do not pair up"


def exported_series() -> set[str]:
    """The names of all series that web, workers and dispatchers export."""
    names: set[str] = set()
    for metric in metrics.ALL:
        (family,) = metric.collect()
        ends = ("_bucket", "_count", "_sum") if family.type == "histogram" else ("_total",)
        names |= {family.name + end for end in ends}
    source = Path(monitoring.__file__).read_text(encoding="utf-8")
    return names | set(re.findall(r'"(prodapp_\w+)"', source))


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression of rules, dashboard and adapter, and where it stands."""
    for group in yaml.safe_load(read("deploy/prometheus/rules.yml"))["groups"]:
        for rule in group["rules"]:
            yield rule.get("record") or rule["alert"], rule["expr"]
    for path in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                yield f"{path.name}, {panel['title']}", target["expr"]
    rules = documents(DEPLOY / "kubernetes" / "adapter-rule.yaml")[0]["rules"]["external"]
    yield from ((rule["name"]["as"], rule["metricsQuery"]) for rule in rules)


def series() -> Iterator[str]:
    groups = yaml.safe_load(read("deploy/prometheus/rules.yml"))["groups"]
    recorded = {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    known = exported_series() | recorded | FOREIGN_SERIES
    for where, expression in expressions():
        try:
            promql_parser.parse(expression)
        except ValueError as error:
            yield f"{where}: {error}"
        bare = re.sub(r'"[^"]*"', "", expression)
        for name in re.findall(r"\b(?:prodapp[:_][\w:]+|up)\b(?!\s*\()", bare):
            if name not in known:
                yield f"{where}: nobody exports {name}"


CHECKS = (dockerfile, compose, ports, kubernetes, pipelines, series)


def main() -> None:
    wrong = [text for check in CHECKS for text in check()]
    for text in wrong:
        sys.stderr.write(f"{text}\n")
    if wrong:
        raise SystemExit(1)
    n = sum(1 for _ in expressions())
    sys.stdout.write(f"{len(CHECKS)} checks of what ships prodapp, {n} expressions: all well\n")


if __name__ == "__main__":
    main()
