"""What a module tells the house about itself at start-up, and the registry of what was told.

When a lower module must show what a higher one owns (a section of the patient record, a printable form, a menu
entry), the higher one registers it here; the lower module never learns the higher one's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click
    from flask import Blueprint, Flask

    from his.core.actor import Actor
    from his.core.errors import Finding
    from his.core.outbox import Delivery, Envelope


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One entry of the rail: shown to people who hold the permission. ``label`` is a lazy translation."""

    label: Any
    endpoint: str
    icon: str
    permission: str
    order: int = 50


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One row of the patient's record. ``tone`` is "", "ok", "warn" or "bad"; ``state`` words for it ("" = none)."""

    at: datetime
    title: str
    lines: tuple[str, ...] = ()
    url: str = ""
    tone: str = ""
    kind: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class RecordSection:
    """A provider of rows for the assembled record: ``entries(patient_id, visit_ids, actor)``."""

    code: str
    title: Any
    entries: Callable[[int, Sequence[int], Actor], Sequence[TimelineEntry]]
    order: int = 50


@dataclass(frozen=True, slots=True)
class PatientAction:
    """What may be done next with a patient just found (receive, open the record): a link with the patient's id.

    ``url(patient_id)`` gives the address; shown to people who hold ``permission``, lowest ``order`` first.
    """

    label: Any
    icon: str
    permission: str
    url: Callable[[int], str]
    order: int = 50


@dataclass(frozen=True, slots=True)
class VisitPanel:
    """A part of the doctor's page that a higher module owns (orders, results, prescription, referral).

    ``area`` is "left", "middle" or "right"; ``template`` is a fragment that reads its values from ``p``, the mapping
    that ``values(visit_id, actor)`` returns; ``permission`` hides it from those who may not read it.
    """

    code: str
    area: str
    template: str
    values: Callable[[int, Actor], Mapping[str, Any]]
    permission: str
    order: int = 50


@dataclass(frozen=True, slots=True)
class FormSpec:
    """A printable paper. ``sample()`` gives a context of plain invented values for previews and tests."""

    code: str
    title: str
    size: str
    template: str
    version: str
    sample: Callable[[], Any]
    legal_source: str = ""
    # Who may open the stored paper, beside the general right to print ("" = everyone who prints): a cashier who may
    # print a receipt does not read the record of the illness.
    permission: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A task run every so many seconds by the beat."""

    task: str
    every_seconds: float


@dataclass(frozen=True, slots=True)
class Module:
    """Everything a module contributes; built once in its ``module.py``."""

    name: str
    blueprints: Sequence[Blueprint] = ()
    permissions: Sequence[str] = ()
    menu: Sequence[MenuItem] = ()
    forms: Sequence[FormSpec] = ()
    schedules: Sequence[Schedule] = ()
    cli: Sequence[click.Command] = ()
    record_sections: Sequence[RecordSection] = ()
    patient_actions: Sequence[PatientAction] = ()
    visit_panels: Sequence[VisitPanel] = ()
    # What still stops a visit from being concluded: ``check(visit_id)`` returns findings whose ``field`` is the id of
    # the part of the doctor's page that mends them.
    visit_checks: Sequence[Callable[[int], Sequence[Finding]]] = ()
    # Kind of outbox message -> the function that delivers it.
    outbox: Mapping[str, Callable[[Envelope], Delivery]] = field(default_factory=dict)
    tasks: str = ""
    # Self-tests of `his check`: name -> function returning problems (empty = fine): a text is bad, a `Finding` of
    # severity WARNING only deserves attention.
    checks: Mapping[str, Callable[[], Sequence[str | Finding]]] = field(default_factory=dict)
    # Called once with the application, for what needs it (sessions, log-in).
    install: Callable[[Flask], None] | None = None


class Registry:
    """All modules of one application."""

    def __init__(self) -> None:
        self.modules: list[Module] = []

    def add(self, module: Module) -> None:
        self.modules.append(module)

    def menu(self) -> list[MenuItem]:
        return sorted((item for m in self.modules for item in m.menu), key=lambda item: item.order)

    def form(self, code: str) -> FormSpec:
        return next(form for m in self.modules for form in m.forms if form.code == code)

    def record_sections(self) -> list[RecordSection]:
        return sorted((s for m in self.modules for s in m.record_sections), key=lambda s: s.order)

    def patient_actions(self) -> list[PatientAction]:
        return sorted((a for m in self.modules for a in m.patient_actions), key=lambda a: a.order)

    def visit_panels(self, area: str) -> list[VisitPanel]:
        return sorted((p for m in self.modules for p in m.visit_panels if p.area == area), key=lambda p: p.order)

    def visit_findings(self, visit_id: int) -> list[Finding]:
        return [finding for m in self.modules for check in m.visit_checks for finding in check(visit_id)]

    def outbox_handler(self, kind: str) -> Callable[[Envelope], Delivery]:
        for module in self.modules:
            if kind in module.outbox:
                return module.outbox[kind]
        raise LookupError(f"no module delivers outbox messages of kind {kind!r}")


def registry() -> Registry:
    """Return the registry of the present application."""
    from flask import current_app  # noqa: PLC0415 - keeps this file importable by module.py without an app

    found: Registry = current_app.extensions["his"]
    return found
