"""Rules of the house that need the running application: the URL map, task names, outbox kinds, permissions."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from his.core import jobs
from his.core.module import Registry
from his.core.permissions import PERMISSION_ATTRIBUTE, PUBLIC_ATTRIBUTE, SIGNED_IN
from his.identity.rules import ROLE_NAMES, ROLE_PERMISSIONS
from tools.house import ROOT

REVIEWED = Path(__file__).with_name("public_routes.txt")


def closed(app: Flask) -> list[str]:
    """Endpoints that carry neither mark."""
    return sorted(
        {
            rule.endpoint
            for rule in app.url_map.iter_rules()
            if rule.endpoint != "static"
            and not hasattr(app.view_functions[rule.endpoint], PERMISSION_ATTRIBUTE)
            and not hasattr(app.view_functions[rule.endpoint], PUBLIC_ATTRIBUTE)
        }
    )


def declared(app: Flask) -> set[str]:
    registry: Registry = app.extensions["his"]
    return {str(permission) for module in registry.modules for permission in module.permissions}


def test_every_route_says_who_may_open_it(app: Flask) -> None:
    assert closed(app) == []


def test_a_route_without_a_mark_is_seen_and_refused(app: Flask) -> None:
    """A view added by hand, past the decorators, is found by the walk and closed for everyone."""
    from his.app import create_app

    other = create_app(app.extensions["his_settings"])
    other.add_url_rule("/planted", "planted", lambda: "open")
    assert closed(other) == ["planted"]
    answer = other.test_client().get("/planted")
    assert answer.status_code == 403
    assert b"open" not in answer.data


def test_public_routes_are_the_reviewed_ones(app: Flask) -> None:
    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if hasattr(app.view_functions[rule.endpoint], PUBLIC_ATTRIBUTE)
    }
    lines = REVIEWED.read_text("utf-8").splitlines()
    reviewed = {line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()}
    assert public - reviewed == set(), "read each new public route, then add it to public_routes.txt with its reason"
    # Modules bring their public routes one by one; what is listed must exist once its module does.
    assert {name for name in reviewed - public if name.split(".")[0] in app.blueprints} == set()


def test_routes_ask_for_permissions_that_exist(app: Flask) -> None:
    asked = {
        (endpoint, permission)
        for endpoint, view in app.view_functions.items()
        for permission in getattr(view, PERMISSION_ATTRIBUTE, ())
        if permission != SIGNED_IN
    }
    unknown = {(endpoint, permission) for endpoint, permission in asked if permission not in declared(app)}
    assert unknown == set()


def test_every_declared_permission_is_held_by_a_role(app: Flask) -> None:
    held = {permission for permissions in ROLE_PERMISSIONS.values() for permission in permissions}
    assert declared(app) - held == set(), (
        "no role may ever open these: add them to identity/rules.py after the standard"
    )


def test_roles_hold_only_permissions_that_exist(app: Flask) -> None:
    registry: Registry = app.extensions["his"]
    present = {module.name for module in registry.modules}
    held = {p for permissions in ROLE_PERMISSIONS.values() for p in permissions if p.split(":")[0] in present}
    assert held - declared(app) == set(), "no module declares these"


def test_permissions_are_named_alike_and_in_order(app: Flask) -> None:
    registry: Registry = app.extensions["his"]
    for module in registry.modules:
        names = [str(permission) for permission in module.permissions]
        assert names == sorted(names), module.name
        assert all(len(name.split(":")) == 3 and name.split(":")[0] == module.name for name in names), module.name


def test_menu_entries_lead_to_routes_their_holders_may_open(app: Flask) -> None:
    registry: Registry = app.extensions["his"]
    for item in registry.menu():
        assert item.endpoint in app.view_functions, item.endpoint
        needed = set(getattr(app.view_functions[item.endpoint], PERMISSION_ATTRIBUTE, ()))
        for role, held in ROLE_PERMISSIONS.items():
            if item.permission in held:
                assert needed & {*held, SIGNED_IN}, f"{role} sees {item.endpoint} in the menu and may not open it"


def test_every_role_has_a_home_page(app: Flask) -> None:
    registry: Registry = app.extensions["his"]
    missing = [
        role for role in ROLE_NAMES if not any(item.permission in ROLE_PERMISSIONS[role] for item in registry.menu())
    ]
    assert missing == []


# --- work in the background -------------------------------------------------------------------------------------------


def _calls(*names: str) -> list[tuple[str, int, ast.Call]]:
    found = []
    for path in sorted((ROOT / "his").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                owner = getattr(getattr(node.func, "value", None), "id", "")
                if f"{owner}.{name}" in names or name in names:
                    found.append((path.relative_to(ROOT).with_suffix("").as_posix(), node.lineno, node))
    return found


def _value(file: str, node: ast.expr) -> str:
    """The text behind a literal, a constant of the file, or an attribute of an imported module."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    module = importlib.import_module(file.replace("/", ".").removesuffix(".__init__"))
    found: Any = module
    for part in ast.unparse(node).split("."):
        found = getattr(found, part)
    return str(found)


@pytest.fixture
def tasks(app: Flask) -> set[str]:
    return {name for name in jobs.celery.tasks if not name.startswith("celery.")}


def test_every_enqueued_task_is_registered(tasks: set[str]) -> None:
    asked = {
        (f"{file}:{line}", _value(file, call.args[0]))
        for file, line, call in _calls("enqueue", "enqueue_quietly", "jobs.enqueue", "Schedule")
        if call.args and not file.endswith("core/jobs")
    }
    assert {(where, name) for where, name in asked if name not in tasks} == set()
    assert asked, "the walk found no call at all"


def test_every_task_has_a_queue_of_its_own_choice(tasks: set[str]) -> None:
    assert {name for name in tasks if name.split(".", 1)[0] not in jobs.QUEUES} == set()


def test_every_periodic_task_is_registered(tasks: set[str]) -> None:
    assert {entry["task"] for entry in jobs.celery.conf.beat_schedule.values()} - tasks == set()


def test_tasks_are_named_after_their_module(tasks: set[str]) -> None:
    for name in tasks:
        assert jobs.celery.tasks[name].__module__.split(".")[1] == name.split(".")[0], name


def test_every_outbox_message_has_a_deliverer(app: Flask) -> None:
    registry: Registry = app.extensions["his"]
    delivered = {kind for module in registry.modules for kind in module.outbox}
    put = {
        (f"{file}:{line}", _value(file, call.args[0]))
        for file, line, call in _calls("outbox.put")
        if call.args and not file.endswith("core/outbox")
    }
    present = {module.name for module in registry.modules}
    missing = {(where, kind) for where, kind in put if kind not in delivered}
    assert {row for row in missing if row[0].split("/")[1] in present} == set()


def test_printable_forms_have_templates_and_samples(app: Flask) -> None:
    registry: Registry = app.extensions["his"]
    codes = [form.code for module in registry.modules for form in module.forms]
    assert len(codes) == len(set(codes))
    for module in registry.modules:
        for form in module.forms:
            assert app.jinja_env.get_template(form.template), form.code
            assert form.sample() is not None, form.code
