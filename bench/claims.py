"""Claims: writing beside a bare lxml writer of the same bytes, building and checking, and the memory of a month export."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flask import Flask
from lxml import etree
from sqlalchemy import select

from bench.measure import Figure, Record, rate
from his.core import clock
from his.core.actor import SYSTEM
from his.core.db import session, transaction
from his.insurance import queries, service
from his.insurance.models import ClaimFile
from his.insurance.rules import ClaimSettings, write_claim
from his.insurance.service.check import check_document
from his.insurance.tables import table_specs
from tests.factories import insurance as made

SMALL, LARGE = 1_000, 10_000


def bare_writer(document: object) -> bytes:
    """The same bytes by lxml alone: elements, inner documents, Base64; no checks, no escaping of our own."""
    tables, specs = document.tables, table_specs(document.made_on)  # type: ignore[attr-defined]
    root = etree.Element(
        "GIAMDINHHS",
        nsmap={"xsi": "http://www.w3.org/2001/XMLSchema-instance", "xsd": "http://www.w3.org/2001/XMLSchema"},
    )
    etree.SubElement(etree.SubElement(root, "THONGTINDONVI"), "MACSKCB").text = document.facility_code  # type: ignore[attr-defined]
    info = etree.SubElement(root, "THONGTINHOSO")
    etree.SubElement(info, "NGAYLAP").text = f"{document.made_on:%Y%m%d}"  # type: ignore[attr-defined]
    etree.SubElement(info, "SOLUONGHOSO").text = "1"
    case = etree.SubElement(etree.SubElement(info, "DANHSACHHOSO"), "HOSO")
    for code, spec in specs.items():
        rows = tables.get(code)
        if not rows:
            continue
        item = etree.SubElement(case, "FILEHOSO")
        etree.SubElement(item, "LOAIHOSO").text = code
        table = etree.Element(spec.root)
        parent = table if spec.is_single else etree.SubElement(table, spec.list_tag)
        for row in rows:
            record = parent if spec.is_single else etree.SubElement(parent, spec.row_tag)
            for name in spec.names:
                etree.SubElement(record, name).text = row[name]
        inner = etree.tostring(table, encoding="utf-8", xml_declaration=True)
        etree.SubElement(item, "NOIDUNGFILE").text = base64.b64encode(inner).decode()
    etree.SubElement(root, "CHUKYDONVI").text = ""
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def run(app: Flask, record: Record, database: str) -> list[str]:
    """Measure writing, building, checking and exporting; returns complaints."""
    group = f"claims {database}"
    with app.app_context():
        staff = made.ready()
        one = made.journey(staff, "adult", ct=True, referral=True)
        claim = made.claim_of(staff, one)
        month = claim.settlement_month
        document = service.document_of(claim)
        size = len(write_claim(document))
        floor = rate(lambda: bare_writer(document))
        ours = rate(lambda: write_claim(document))
        record.add(Figure(group, "floor: bare lxml writer of the same claim", per_second=floor, note=f"{size // 1024} KB a file"))
        record.add(Figure(group, "write a claim file", per_second=ours, floor="lxml writer's rate", ratio=ours / floor))
        facts = queries.check_facts([document])
        today = clock.today()
        checks = rate(lambda: check_document(document, facts, ClaimSettings(), today))
        record.add(Figure(group, "check a claim (all rules)", per_second=checks, floor="lxml writer's rate", ratio=checks / floor))
        visits = [made.journey(staff, "adult", ct=True, referral=n % 5 == 0).visit_id for n in range(40)]
        started = time.perf_counter()
        with transaction():
            service.build_claims(visits, actor=SYSTEM)
        build = len(visits) / (time.perf_counter() - started)
        record.add(Figure(group, "build and check from rows, batch of 40", per_second=build, floor="lxml writer's rate", ratio=build / floor))
        claim = session().execute(select(ClaimFile).where(ClaimFile.visit_id == one.visit_id)).scalar_one()
        made.many_claims(claim, SMALL)
        small = _export(month)
        made.many_claims(claim, LARGE - SMALL)
        large = _export(month)
    for count, (peak, base, seconds) in ((SMALL, small), (LARGE, large)):
        record.add(Figure(group, f"export of {count:,} visits", per_second=count / seconds, floor="lxml writer's rate",
                          ratio=count / seconds / floor, note=f"peak memory {peak:.0f} MB, {base:.0f} MB before it began"))  # fmt: skip
    growth = large[0] - small[0]
    record.add(Figure(group, f"memory {LARGE:,} visits need beyond {SMALL:,}", note=f"{growth:+.1f} MB"))
    return [f"claims: exporting {LARGE} visits takes {growth:.0f} MB more than {SMALL}"] if growth > 20 else []


PROBE = """
import json, sys, time
from his.app import create_app
from his.core.db import transaction
from his.core import clock
from his.core.actor import SYSTEM
app = create_app(part="worker")
with app.app_context():
    from pathlib import Path
    from his.insurance import service, tasks
    # Not ru_maxrss: a new process starts with its parent's figure.
    peak = lambda: next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
    base, started = peak(), time.perf_counter()
    with transaction():
        export = service.start_export(sys.argv[1], actor=SYSTEM, folder=Path(sys.argv[2])).export_id
    tasks.export_month(export)
    print(json.dumps([peak(), base, time.perf_counter() - started]))
"""


def _export(month: str) -> tuple[float, float, float]:
    """Export a month in a process of its own; returns its peak memory, what it had before (MB), and the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", PROBE, month, folder], env=dict(os.environ), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        files = len(list(Path(folder).glob("*.xml")))
        if files < SMALL:
            raise SystemExit(f"only {files} files were written")
        peak, base, seconds = json.loads(done.stdout.strip().splitlines()[-1])
        return peak, base, seconds
