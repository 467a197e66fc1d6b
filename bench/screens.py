"""Every screen of the journey: statements and server time, beside a bare Flask page with one keyed query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from flask import Flask
from sqlalchemy import event, insert, select

from bench.measure import Figure, Record, p50_p95, times
from his.core import clock
from his.core.db import db, session, transaction
from his.identity import queries as identity_queries
from his.identity import service as identity
from his.identity.models import UserSession
from his.identity.web import cookie_name
from his.records.enums import VisitState
from his.records.models import Patient, Visit

HISTORY = 1000
# Name of the screen, who looks, and its address for a visit (None: not about one).
SCREENS: tuple[tuple[str, str, str], ...] = (
    ("desk", "tiepdon", "/registration/"),
    ("queue", "tiepdon", "/registration/queue"),
    ("work list", "bacsi", "/examination/"),
    ("vital signs", "dieuduong", "/examination/visits/{open}/vitals"),
    ("doctor's page", "bacsi", "/examination/visits/{open}"),
    ("doctor's page: history", "bacsi", "/examination/visits/{open}/parts/left"),
    ("doctor's page: orders", "bacsi", "/examination/visits/{open}/parts/middle"),
    ("doctor's page: results, prescription", "bacsi", "/examination/visits/{open}/parts/right"),
    ("prescription", "bacsi", "/prescriptions/visits/{open}"),
    ("laboratory list", "xetnghiem", "/laboratory/"),
    ("laboratory result", "xetnghiem", "/laboratory/lines/{lab}"),
    ("imaging list", "hinhanh", "/imaging/"),
    ("imaging report", "hinhanh", "/imaging/lines/{image}"),
    ("cashier list", "thungan", "/billing/"),
    ("bill", "thungan", "/billing/visits/{closed}"),
    ("pharmacy list", "duocsi", "/pharmacy/"),
    ("stock", "duocsi", "/stock/"),
    ("referral", "bacsi", "/referrals/visits/{open}"),
    ("referrals to issue", "truongkhoa", "/referrals/"),
    ("claims workbench", "bhyt", "/insurance/"),
    ("claim", "bhyt", "/insurance/claims/{claim}"),
    ("patient record", "hoso", "/records/patients/{patient}"),
    ("dashboard", "quanly", "/dashboard/"),
    ("catalogues", "quantri", "/catalogues/?q=vi&kind=icd"),
    ("accounts", "quantri", "/identity/users"),
    ("audit log", "nhatky", "/audit/"),
    ("poll of the doctor's page", "bacsi", "/examination/visits/{open}/version"),
    ("search: diagnosis", "bacsi", "/catalogues/search/icd?q=viem%20phe%20quan"),
    ("search: drug", "bacsi", "/catalogues/search/drug?q=para"),
)


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements sent to the database."""
    seen: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_rest: object) -> None:
        if not statement.lstrip().upper().startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def floor_app(app: Flask) -> Callable[[], object]:
    """A bare Flask page on the same database: one ORM read by key."""
    bare = Flask("floor")
    bare.config["SQLALCHEMY_DATABASE_URI"] = app.config["SQLALCHEMY_DATABASE_URI"]
    bare.config["SQLALCHEMY_ENGINE_OPTIONS"] = app.config.get("SQLALCHEMY_ENGINE_OPTIONS", {})
    db.init_app(bare)

    @bare.get("/<int:patient_id>")
    def one(patient_id: int) -> str:
        return db.session.get(Patient, patient_id).full_name  # type: ignore[union-attr]

    with bare.app_context():
        some = session().execute(select(Patient.patient_id).limit(1)).scalar_one()
    client = bare.test_client()
    return lambda: client.get(f"/{some}")


def long_history(app: Flask) -> dict[str, int]:
    """Give the patient of a visit being examined a thousand earlier visits; returns the ids the addresses need."""
    from his.insurance.models import ClaimFile
    from his.orders.enums import OrderKind
    from his.orders.models import OrderLine
    from his.prescriptions.models import Prescription

    with app.app_context(), transaction() as here:
        def newest(*where: object) -> Visit:
            return here.execute(select(Visit).where(*where).order_by(Visit.visit_id.desc()).limit(1)).scalar_one()

        with_rx = select(Prescription.visit_id)
        visit = here.execute(
            select(Visit).where(Visit.state == VisitState.IN_EXAM, Visit.room_code == "214")
            .order_by(Visit.visit_id.in_(with_rx).desc()).limit(1)
        ).scalar_one_or_none() or newest(Visit.state == VisitState.IN_EXAM)
        rows = []
        for number in range(HISTORY):
            day = visit.service_on - timedelta(days=number + 1)
            moment = clock.from_local(day)
            rows.append({
                "facility_code": visit.facility_code, "code": f"{visit.facility_code}-B{number:06d}",
                "patient_id": visit.patient_id, "service_on": day, "state": VisitState.CLOSED, "room_code": "214",
                "department_code": visit.department_code, "arrived_at": moment, "registered_at": moment,
                "ended_at": moment + timedelta(hours=1), "main_icd": "J20.9", "main_icd_name": "Viêm phế quản cấp",
                "version": 1, "discharge_code": "1", "result_code": "2", "reason": "Ho",
            })  # fmt: skip
        here.execute(insert(Visit), rows)

        def line(kind: OrderKind) -> int:
            return here.execute(
                select(OrderLine.line_id).where(OrderLine.kind == kind).order_by(OrderLine.line_id.desc()).limit(1)
            ).scalar_one()

        claim = here.execute(select(ClaimFile.claim_id).order_by(ClaimFile.claim_id.desc()).limit(1)).scalar_one_or_none()
        return {
            "open": visit.visit_id, "patient": visit.patient_id, "claim": claim or 0,
            "closed": newest(Visit.state == VisitState.CLOSED, Visit.code.not_like("%-B%"), Visit.subject_code != "9").visit_id,
            "lab": line(OrderKind.LABORATORY), "image": line(OrderKind.IMAGING),
        }  # fmt: skip


def signed_in(app: Flask, username: str) -> object:
    """Return a test client signed in as a person of the demo hospital."""
    with app.app_context(), transaction():
        user = identity_queries.user_by_name(username)
        assert user is not None, username
        token = identity.open_session(user, ip="127.0.0.1", workplace=user.default_room)
        session().flush()
        session().query(UserSession).filter_by(token_hash=identity.token_hash(token)).one().proved_at = clock.now()
    client = app.test_client()
    client.set_cookie(cookie_name(), token)
    return client


def run(app: Flask, record: Record, database: str) -> list[str]:
    """Measure each screen; returns complaints (a page that did not answer 200, or more than 12 statements)."""
    ids = long_history(app)
    floor_call = floor_app(app)
    floor = p50_p95(times(floor_call, 200, 20))
    group = f"screen {database}"
    record.add(Figure(group, "floor: bare Flask, one keyed ORM read", *floor))
    clients: dict[str, object] = {}
    complaints = []
    for name, username, address in SCREENS:
        client = clients.setdefault(username, signed_in(app, username))
        path = address.format(**ids)
        answer = client.get(path)  # type: ignore[attr-defined]
        if answer.status_code != 200:
            complaints.append(f"{name}: {path} answered {answer.status_code}")
            continue
        client.get(path)  # type: ignore[attr-defined]
        with app.app_context(), counted() as seen:
            client.get(path)  # type: ignore[attr-defined]
        figures = p50_p95(times(lambda client=client, path=path: client.get(path), 30, 3))  # type: ignore[misc]
        record.add(Figure(group, name, *figures, statements=len(seen), floor="floor", ratio=figures[0] / floor[0],
                          note=f"{len(answer.data) // 1024} KB"))  # fmt: skip
        if len(seen) > 12:
            complaints.append(f"{name}: {len(seen)} statements, at most 12")
    return complaints
