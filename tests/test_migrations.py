"""Migrations only expand what the release before uses, unless they say that they contract.

While a deploy goes on, processes of the release before work over the tables of the new one. What
breaks them is told here by the operations of ``upgrade()`` alone: nothing is run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

VERSIONS = Path(__file__).resolve().parents[1] / "migrations" / "versions"
# A module that sets this to the revision whose expansion it completes may take away.
MARK = "contracts"
TAKES_AWAY = ("drop_table", "drop_column", "rename_table")
TIGHTENS = (
    "create_unique_constraint",
    "create_check_constraint",
    "create_foreign_key",
    "create_exclude_constraint",
)
RAW = ("DROP", "RENAME", "ALTER", "TRUNCATE", "DELETE")


def breaking_operations(source: str) -> list[str]:
    """What ``upgrade()`` of a migration does that code of the release before cannot work over."""
    upgrade = next(
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    )
    made = _made_in(upgrade)
    spared = {
        call
        for block in ast.walk(upgrade)
        if isinstance(block, ast.With) and made.intersection(_strings(block.items[0]))
        for call in _calls(block)
    }
    calls = [call for call in _calls(upgrade) if call not in spared]
    return [told for call in calls if (told := _trouble(call, made))]


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    for item in ast.walk(node):
        if isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute):
            yield item


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _strings(node: ast.AST) -> list[str]:
    return [
        item.value
        for item in ast.walk(node)
        if isinstance(item, ast.Constant) and isinstance(item.value, str)
    ]


def _made_in(upgrade: ast.FunctionDef) -> set[str]:
    """Names of the tables and columns that the migration itself adds: nobody uses them yet."""
    made = set()
    for call in _calls(upgrade):
        if _name(call) == "create_table":
            made.add(_strings(call.args[0])[0])
        elif _name(call) == "add_column":
            made.update(_strings(column.args[0])[0] for column in _columns(call))
    return made


def _columns(call: ast.Call) -> list[ast.Call]:
    return [item for item in _calls(call) if _name(item) == "Column"]


def _options(call: ast.Call) -> dict[str, object]:
    """The keywords of a call; a value that is not a constant counts as given."""
    return {
        keyword.arg: keyword.value.value if isinstance(keyword.value, ast.Constant) else ...
        for keyword in call.keywords
        if keyword.arg
    }


def _trouble(call: ast.Call, made: set[str]) -> str | None:
    name, options = _name(call), _options(call)
    on_new = bool(made.intersection(_strings(call)))
    if name in TAKES_AWAY:
        return name
    if name == "alter_column":
        told = [key for key in ("new_column_name", "type_") if key in options]
        told += ["nullable=False"] if options.get("nullable") is False else []
        told += ["server_default=None"] if options.get("server_default", ...) is None else []
        return f"alter_column {', '.join(told)}" if told else None
    if name == "add_column":
        needed = [_options(column) for column in _columns(call)]
        bare = [item for item in needed if item.get("nullable") is False]
        is_bare = any(item.get("server_default") is None for item in bare)
        return "add_column that must be given" if is_bare else None
    if name in TIGHTENS and not on_new:
        return name
    if name == "create_index" and options.get("unique") is True and not on_new:
        return "create_index unique"
    if name == "execute":
        words = {word for text in _strings(call) for word in text.upper().split()}
        found = sorted(words.intersection(RAW))
        return f"execute {', '.join(found)}" if found else None
    return None


def marked_as_contract(source: str) -> str | None:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and MARK in [ast.unparse(item) for item in node.targets]:
            return str(ast.literal_eval(node.value))
    return None


def _revision(path: Path) -> str:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "revision":
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"{path.name} has no revision")


@pytest.mark.parametrize("path", sorted(VERSIONS.glob("*.py")), ids=lambda path: path.stem)
def test_migration_only_expands_or_says_what_it_contracts(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    mark = marked_as_contract(source)
    if mark is None:
        assert breaking_operations(source) == []
    else:
        assert breaking_operations(source) != [], "a mark that nothing needs"
        others = {_revision(other) for other in VERSIONS.glob("*.py") if other != path}
        assert mark in others, f"{MARK} names no migration"


@pytest.mark.parametrize(
    "statement",
    [
        'op.drop_table("users")',
        'op.drop_column("users", "name")',
        'op.rename_table("users", "people")',
        'op.alter_column("users", "name", new_column_name="username")',
        'op.alter_column("users", "name", type_=sa.Text())',
        'op.alter_column("users", "name", nullable=False)',
        'op.alter_column("users", "role", server_default=None)',
        'op.add_column("users", sa.Column("age", sa.Integer(), nullable=False))',
        'op.create_unique_constraint("uq", "users", ["name"])',
        'op.create_check_constraint("ck", "runs", "state in (1, 2)")',
        'op.create_index("ix", "users", ["name"], unique=True)',
        'op.execute("ALTER TABLE users RENAME TO people")',
        'op.execute(sa.text("delete from users"))',
    ],
)
def test_what_breaks_the_release_before_is_found(statement: str) -> None:
    source = (
        f"def upgrade():\n    with op.batch_alter_table('x') as batch_op:\n        {statement}\n"
    )
    assert len(breaking_operations(source)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        'op.create_table("letters", sa.Column("id", sa.Integer(), nullable=False))',
        'op.add_column("users", sa.Column("email", sa.String(254), nullable=True))',
        'op.add_column("runs", sa.Column("n", sa.Integer(), nullable=False, server_default="1"))',
        'op.alter_column("users", "name", nullable=True)',
        'op.create_index("ix", "users", ["name"], unique=False)',
        'op.drop_constraint("ck_runs_state", type_="check")',
        'op.execute("UPDATE users SET email = lower(email)")',
        'op.add_column("a", sa.Column("b")); op.create_unique_constraint("uq", "a", ["b"])',
    ],
)
def test_what_the_release_before_does_not_notice_is_let_pass(statement: str) -> None:
    assert breaking_operations(f"def upgrade():\n    {statement}\n") == []


def test_undoing_may_take_away() -> None:
    source = 'def upgrade():\n    pass\n\n\ndef downgrade():\n    op.drop_table("users")\n'
    assert breaking_operations(source) == []
